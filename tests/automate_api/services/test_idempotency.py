"""Claims: who has them, and that only one has."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F, QuerySet

from automate_api.exceptions import IdempotencyAnswerGone, IdempotencyInFlight, IdempotencyKeyReused
from automate_api.models import IdempotencyKey
from automate_api.services.idempotency import Claim, claim_key, count_expired, prune
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def claim(user: Any, fingerprint: str = "f") -> Claim:
    outcome = claim_key("k", tenant_id="", user=user, fingerprint=fingerprint)
    assert isinstance(outcome, Claim)
    return outcome


def is_held(held: Claim) -> bool:
    """Whether renewing the claim holds it for longer."""
    before = IdempotencyKey.objects.filter(pk=held.pk).values_list("leased_until", flat=True).first()
    IdempotencyKey.objects.filter(pk=held.pk).update(leased_until=F("leased_until") - timedelta(seconds=20))
    Claim.renew_all([held])
    after = IdempotencyKey.objects.filter(pk=held.pk).values_list("leased_until", flat=True).first()
    return before is not None and after is not None and after >= before


def pass_time(**time: float) -> None:
    IdempotencyKey.objects.update(
        leased_until=F("leased_until") - timedelta(**time), created_at=F("created_at") - timedelta(**time)
    )


def test_what_was_answered_is_answered_again() -> None:
    user = make_user()
    claim(user).complete("the answer")
    assert claim_key("k", tenant_id="", user=user, fingerprint="f") == "the answer"


def test_a_released_key_is_free_again() -> None:
    user = make_user()
    claim(user).release()
    claim(user, "another request")


def test_an_answer_that_could_not_be_kept_is_gone() -> None:
    user = make_user()
    claim(user).complete(None)
    with pytest.raises(IdempotencyAnswerGone):
        claim(user)


def test_a_key_that_is_a_secret_is_stored_as_a_digest_and_told_from_others() -> None:
    user, keys = make_user(), ["sk-0123456789abcdefghij", "sk-0123456789abcdefghik"]
    for key in keys:
        outcome = claim_key(key, tenant_id="", user=user, fingerprint="f")
        assert isinstance(outcome, Claim)
        outcome.complete(f"answer to {key}")
    for key in keys:
        assert claim_key(key, tenant_id="", user=user, fingerprint="f") == f"answer to {key}"
    assert not [row for row in IdempotencyKey.objects.values_list("key", flat=True) if "sk-" in row or len(row) > 255]


def test_a_claim_is_nobody_elses_while_it_is_leased() -> None:
    user = make_user()
    held = claim(user)
    with pytest.raises(IdempotencyInFlight):
        claim(user)
    with pytest.raises(IdempotencyKeyReused):
        claim(user, "another request")
    assert is_held(held)


def test_who_lost_a_claim_changes_nothing_any_more() -> None:
    user = make_user()
    late = claim(user)
    pass_time(seconds=31)
    now = claim(user)
    assert not is_held(late)
    IdempotencyKey.objects.update(leased_until=F("leased_until") + timedelta(seconds=20))
    late.complete("too late")
    late.release()
    now.complete("in time")
    assert claim_key("k", tenant_id="", user=user, fingerprint="f") == "in time"
    late.release()
    assert IdempotencyKey.objects.count() == 1


def test_a_key_kept_for_long_enough_is_free_and_one_at_work_is_not() -> None:
    user = make_user()
    claim(user).complete("old")
    pass_time(days=1, seconds=1)
    held = claim(user, "another request")
    IdempotencyKey.objects.update(created_at=F("created_at") - timedelta(days=2))
    with pytest.raises(IdempotencyInFlight):
        claim(user)
    assert is_held(held)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_has_the_claim_also_when_the_one_before_has_died() -> None:
    user = make_user()

    def attempt(_number: int) -> str:
        try:
            return type(claim_key("k", tenant_id="", user=user, fingerprint="f")).__name__
        except IdempotencyInFlight:
            return "in flight"
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        for _round in range(3):
            assert sorted(threads.map(attempt, range(8))) == ["Claim"] + ["in flight"] * 7
            pass_time(seconds=31)


@pytest.mark.parametrize("ending", ["complete", "release"])
def test_a_database_that_fails_at_the_end_does_not_take_the_answer_away(
    ending: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    held = claim(make_user())

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(QuerySet, "update", fail)
    monkeypatch.setattr(QuerySet, "delete", fail)
    held.complete("x") if ending == "complete" else held.release()
    assert "OperationalError" in caplog.text


def test_pruning_takes_what_is_old_and_nothing_at_work() -> None:
    for _ in range(5):
        claim(make_user()).complete("x")
    pass_time(days=1, seconds=1)
    claim(make_user()).complete("young")
    at_work = claim(make_user())
    IdempotencyKey.objects.filter(pk=at_work.pk).update(created_at=F("created_at") - timedelta(days=2))
    assert count_expired() == 5
    assert list(prune(batch=2)) == [2, 2, 1]
    assert IdempotencyKey.objects.count() == 2


def test_a_key_claimed_while_old_ones_are_pruned_stays() -> None:
    held = claim(make_user())
    pass_time(days=2)

    def claimed_meanwhile(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("DELETE"):
            IdempotencyKey.objects.update(created_at=F("created_at") + timedelta(days=2))
        return execute(sql, *args)

    with connection.execute_wrapper(claimed_meanwhile):
        assert sum(prune()) == 0
    assert is_held(held)


@pytest.mark.parametrize("failure", [OperationalError, InterfaceError])
def test_a_connection_that_is_lost_with_the_work_done_takes_no_answer_from_the_caller(
    failure: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    held = claim(make_user())

    def lost(*args: Any) -> Any:
        raise failure

    with connection.execute_wrapper(lost):
        held.complete("the answer")
        held.release()
    assert caplog.text.count(failure.__name__) == 2
