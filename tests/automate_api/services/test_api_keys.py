"""API keys open what they are for, and nothing when they are over."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from automate_api.exceptions import Conflict, InvalidInput, PermissionDenied
from automate_api.models import Actor, APIKey, Maintenance
from automate_api.services import api_keys
from automate_api.services.api_keys import (
    authenticate_key,
    create_key,
    find_live_key,
    issue_key,
    looks_like_key,
    revoke_key,
    rotate_key,
)
from automate_api.services.freshness import versions
from automate_api.services.leases import from_now
from automate_api.services.maintenance import seconds_to_wait
from tests.automate_api.services.together import together
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def issue(**fields: Any) -> tuple[APIKey, str]:
    given = {"tenant_id": "acme", "user": make_user(), "name": "ci", "scopes": ["*"], **fields}
    return issue_key(**given)


def test_a_key_is_recognised_with_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    key, text = issue()
    with django_assert_num_queries(1):
        found = authenticate_key(text)
        assert found == key
        assert found is not None
        assert found.user.is_active


class Replicated:
    """A host's router that reads from a replica, which nobody can reach."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "replica" if model in {APIKey, Maintenance} and "instance" not in hints else None


def test_what_must_count_at_once_is_not_read_from_a_replica(settings: Settings) -> None:
    key, text = issue()
    settings.DATABASE_ROUTERS = [f"{__name__}.{Replicated.__name__}"]
    assert authenticate_key(text) == find_live_key(key.pk) == key
    assert seconds_to_wait() is None


def test_nothing_stored_or_shown_holds_the_secret() -> None:
    _key, text = issue()
    secret = text.rpartition("_")[2] if "_" not in text[37:] else text[37:]
    row = str(APIKey.objects.values().get())
    assert secret not in row


def test_the_secret_must_match_and_the_id_alone_opens_nothing() -> None:
    (key, text), (_other, other_text) = issue(), issue()
    assert authenticate_key(text[:37] + other_text[37:]) is None
    assert authenticate_key(text[:-1] + ("A" if text[-1] != "A" else "B")) is None
    assert authenticate_key(key.pk.hex) is None
    assert not looks_like_key("sk-something")
    assert looks_like_key(text)


def test_an_expired_or_revoked_key_or_one_of_an_inactive_user_opens_nothing() -> None:
    _expired, text = issue(expires_at=timezone.now() - timedelta(seconds=1))
    assert authenticate_key(text) is None
    revoked, text = issue()
    revoke_key(revoked)
    assert authenticate_key(text) is None
    inactive, text = issue()
    inactive.user.is_active = False
    inactive.user.save()
    assert authenticate_key(text) is None


def test_rotation_ends_the_old_secret_at_once() -> None:
    key, old = issue()
    _key, new = rotate_key(key, actor=Actor(user=key.user, tenant_id="acme"))
    assert authenticate_key(old) is None
    assert authenticate_key(new) == key


def test_a_revoked_key_is_not_rotated_and_stays_revoked() -> None:
    key, _text = issue()
    revoke_key(key)
    with pytest.raises(Conflict):
        rotate_key(key, actor=Actor(user=key.user, tenant_id="acme"))


@pytest.mark.parametrize("scopes", [[], ["endpoints"], ["endpoints:delete"], ["**"], ["Endpoints:read"], ["*", "x"]])
def test_scopes_are_of_a_known_form(scopes: list[str]) -> None:
    with pytest.raises(InvalidInput):
        issue(scopes=scopes)


def test_a_key_makes_no_key_that_may_do_more() -> None:
    narrow, _text = issue(scopes=["api-keys:write", "endpoints:run"])
    actor = Actor(user=narrow.user, tenant_id="acme", api_key=narrow)
    for scopes in (["*"], ["providers:write"]):
        with pytest.raises(PermissionDenied):
            create_key(actor=actor, name="more", scopes=scopes)
    wide, _text = issue()
    with pytest.raises(PermissionDenied):
        rotate_key(wide, actor=actor)
    widened, _text = issue(scopes=["endpoints:run"])
    APIKey.objects.filter(pk=widened.pk).update(scopes=["*"])
    with pytest.raises(PermissionDenied):
        rotate_key(widened, actor=actor)
    assert create_key(actor=actor, name="same", scopes=["endpoints:run"])[0].tenant_id == "acme"


def test_a_key_makes_no_key_that_outlives_it() -> None:
    end = timezone.now() + timedelta(hours=1)
    expiring, _text = issue(expires_at=end)
    lasting, _text = issue()
    actor = Actor(user=expiring.user, tenant_id="acme", api_key=expiring)
    for later in (None, end + timedelta(seconds=1)):
        with pytest.raises(PermissionDenied):
            create_key(actor=actor, name="longer", scopes=["*"], expires_at=later)
    with pytest.raises(PermissionDenied):
        rotate_key(lasting, actor=actor)
    assert create_key(actor=actor, name="as long", scopes=["*"], expires_at=end)[0].expires_at == end
    assert rotate_key(expiring, actor=actor)[0] == expiring


def actor_of(key: APIKey) -> Actor:
    """Its user."""
    return Actor(user=key.user, tenant_id=key.tenant_id)


def test_with_an_overlap_both_secrets_work_until_it_is_over() -> None:
    key, old = issue()
    rotated, new = rotate_key(key, actor=actor_of(key), overlap_seconds=60)
    assert authenticate_key(old) == authenticate_key(new) == key
    assert timedelta(seconds=50) < rotated.previous_until - timezone.now() <= timedelta(seconds=60)
    APIKey.objects.update(previous_until=from_now(-0.001))
    assert authenticate_key(old) is None
    assert authenticate_key(new) == key


def test_the_clock_of_the_database_ends_an_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    key, old = issue()
    rotate_key(key, actor=actor_of(key), overlap_seconds=60)
    monkeypatch.setattr(timezone, "now", lambda: key.created_at + timedelta(days=1))
    assert authenticate_key(old) == key
    monkeypatch.setattr(timezone, "now", lambda: key.created_at - timedelta(days=1))
    APIKey.objects.update(previous_until=from_now(-1))
    assert authenticate_key(old) is None


def test_a_further_rotation_ends_the_oldest_secret_at_once() -> None:
    key, first = issue()
    _key, second = rotate_key(key, actor=actor_of(key), overlap_seconds=60)
    _key, third = rotate_key(key, actor=actor_of(key), overlap_seconds=60)
    assert authenticate_key(first) is None
    assert authenticate_key(second) == authenticate_key(third) == key
    rotated, fourth = rotate_key(key, actor=actor_of(key))
    assert (rotated.previous_digest, rotated.previous_until) == ("", None)
    assert [authenticate_key(text) for text in (second, third, fourth)] == [None, None, key]


def test_what_ends_a_key_ends_both_its_secrets() -> None:
    for end in (revoke_key, lambda key: APIKey.objects.filter(pk=key.pk).update(expires_at=from_now(-1))):
        key, old = issue()
        _key, new = rotate_key(key, actor=actor_of(key), overlap_seconds=60)
        end(key)
        assert authenticate_key(old) is authenticate_key(new) is None


def test_the_host_says_how_long_secrets_overlap_unless_told(settings: Settings) -> None:
    settings.AUTOMATE_API_KEY_OVERLAP = 60
    key, old = issue()
    rotate_key(key, actor=actor_of(key))
    assert authenticate_key(old) == key
    rotate_key(key, actor=actor_of(key), overlap_seconds=0)
    assert APIKey.objects.get().previous_until is None


@pytest.mark.parametrize("overlap", [-1, 604_801])
def test_an_overlap_is_at_most_a_week(overlap: int) -> None:
    key, old = issue()
    with pytest.raises(InvalidInput):
        rotate_key(key, actor=actor_of(key), overlap_seconds=overlap)
    assert authenticate_key(old) == key


def test_a_key_without_a_previous_secret_is_opened_by_no_empty_one() -> None:
    key, text = issue()
    APIKey.objects.update(previous_digest="", previous_until=from_now(60))
    assert authenticate_key(text[:-1] + ("A" if text[-1] != "A" else "B")) is None
    assert authenticate_key(text) == key


@pytest.mark.django_db(transaction=True)
def test_of_rotations_at_once_one_secret_and_the_one_before_it_are_left() -> None:
    key, old = issue()
    made = together(*[lambda: rotate_key(key, actor=actor_of(key), overlap_seconds=60)] * 4)
    texts = [old, *(text for _key, text in made)]
    assert len([text for text in texts if authenticate_key(text)]) == 2


@pytest.fixture
def read_each_time(settings: Settings) -> None:
    """No cache keeps keys."""
    settings.AUTOMATE_API_CACHE = None


def last_used() -> Any:
    """When the one key there is was used last."""
    return APIKey.objects.get().last_used_at


@pytest.mark.usefixtures("read_each_time")
@pytest.mark.django_db(transaction=True)
def test_its_last_use_is_written_once_in_a_while(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    _key, text = issue()
    assert last_used() is None
    authenticate_key("aak_" + "0" * 32 + text[36:])
    assert last_used() is None
    with django_assert_num_queries(2):
        authenticate_key(text)
    first = last_used()
    assert abs(first - timezone.now()) < timedelta(minutes=1)
    with django_assert_num_queries(1):
        authenticate_key(text)
    APIKey.objects.update(last_used_at=F("last_used_at") - timedelta(seconds=301))
    authenticate_key(text)
    assert last_used() >= first


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that found it due ask again in the statement that writes."""
    key, text = issue()
    authenticate_key(text)
    written = last_used()
    api_keys._write_use(key.pk, "default")
    assert last_used() == written


@pytest.mark.django_db(transaction=True)
def test_it_is_written_after_the_transaction_of_a_request() -> None:
    _key, text = issue()
    with transaction.atomic():
        authenticate_key(text)
        assert last_used() is None
    assert last_used() is not None


@pytest.mark.usefixtures("read_each_time")
@pytest.mark.django_db(transaction=True)
def test_a_database_that_cannot_be_written_to_opens_all_the_same(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(api_keys, "_refused_until", 0.0)
    key, text = issue()
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON" if is_sqlite else "SET default_transaction_read_only = on")
    try:
        assert authenticate_key(text) == key
        with django_assert_num_queries(1):  # and it is not tried again for a while
            assert authenticate_key(text) == key
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = OFF" if is_sqlite else "SET default_transaction_read_only = off")
    assert last_used() is None


@pytest.mark.redis
@pytest.mark.django_db(transaction=True)
def test_a_use_is_no_change(redis_cache: str) -> None:
    key, text = issue()
    before = versions(f"key:{key.pk.hex}", f"user:{key.user_id}")
    authenticate_key(text)
    assert last_used() is not None
    assert versions(f"key:{key.pk.hex}", f"user:{key.user_id}") == before
