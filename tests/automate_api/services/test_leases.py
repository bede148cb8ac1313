"""Leases are renewed while their holder is at work, and only then."""

import gc
import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from automate_api.models import IdempotencyKey
from automate_api.services import leases
from automate_api.services.idempotency import Claim, claim_key
from automate_api.services.leases import LeaseKeeper
from tests.factories import make_user
from tests.servers import until


class Held:
    """A lease that notes its renewals."""

    def __init__(self) -> None:
        self.renewed = threading.Event()

    @classmethod
    def renew_all(cls, leases: Sequence["Held"]) -> None:
        for lease in leases:
            lease.renewed.set()


class Failing(Held):
    @classmethod
    def renew_all(cls, leases: Sequence[Held]) -> None:
        super().renew_all(leases)
        raise OperationalError


@pytest.fixture
def keeper(settings: Settings) -> LeaseKeeper:
    settings.AUTOMATE_API_HEARTBEAT = 0.01
    return LeaseKeeper()


def renewed(lease: Held) -> bool:
    """Whether the keeper renews it from now on."""
    lease.renewed.clear()
    return lease.renewed.wait(10)


def test_a_lease_is_renewed_until_it_is_dropped(keeper: LeaseKeeper) -> None:
    held, other = Held(), Held()
    keeper.keep(held)
    assert renewed(held)
    keeper.drop(held)
    keeper.keep(other)
    assert renewed(other)
    held.renewed.clear()
    assert renewed(other)
    assert renewed(other)
    assert not held.renewed.is_set()


def test_the_thread_sleeps_while_nothing_is_held_and_wakes_for_the_next(keeper: LeaseKeeper) -> None:
    held = Held()
    keeper.keep(held)
    assert renewed(held)
    keeper.drop(held)
    assert until(lambda: not keeper._wanted.is_set())
    keeper.keep(held)
    assert renewed(held)


def test_leases_of_a_kind_are_renewed_together(keeper: LeaseKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_BATCH", 2)
    held = [Held() for _ in range(5)]
    calls: list[int] = []
    monkeypatch.setattr(Held, "renew_all", lambda leases: calls.append(len(leases)))
    keeper._leases.update(held)
    keeper.renew()
    assert calls == [2, 2, 1]


def test_a_lease_that_nobody_works_on_any_more_is_forgotten(keeper: LeaseKeeper) -> None:
    held = Held()
    keeper._leases.add(held)
    del held
    gc.collect()
    assert not keeper._leases


def test_a_database_that_fails_is_asked_again(keeper: LeaseKeeper, caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing()
    keeper.keep(failing)
    assert renewed(failing)
    assert renewed(failing)
    assert "Leases could not be renewed: OperationalError" in caplog.text


@pytest.mark.django_db
def test_renewing_a_claim_moves_its_end() -> None:
    claim = claim_key("k", tenant_id="", user=make_user(), fingerprint="f")
    assert isinstance(claim, Claim)
    IdempotencyKey.objects.update(leased_until=F("leased_until") - timedelta(seconds=30))
    Claim.renew_all([claim])
    left = IdempotencyKey.objects.get().leased_until - timezone.now()
    assert timedelta(seconds=30 - 5) < left <= timedelta(seconds=31)
