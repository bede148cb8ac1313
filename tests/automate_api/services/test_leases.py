"""Leases are renewed while their holder is at work, and only then."""

import gc
import logging
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from automate_api.models import IdempotencyKey
from automate_api.services import leases
from automate_api.services.idempotency import Claim, claim_key
from automate_api.services.leases import LEASE, LeaseKeeper
from tests.factories import make_user


class Held:
    """A lease that notes its renewals."""

    def __init__(self, *, holds: bool = True) -> None:
        self.holds, self.renewed = holds, threading.Event()

    def renew(self) -> bool:
        self.renewed.set()
        return self.holds


class Failing(Held):
    def renew(self) -> bool:
        super().renew()
        raise OperationalError


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> LeaseKeeper:
    monkeypatch.setattr(leases, "HEARTBEAT", 0.01)
    return LeaseKeeper()


def test_a_lease_is_renewed_until_it_is_dropped(keeper: LeaseKeeper) -> None:
    held = Held()
    keeper.keep(held)
    assert held.renewed.wait(10)
    keeper.drop(held)
    other = Held()
    keeper.keep(other)
    assert other.renewed.wait(10)
    held.renewed.clear()
    other.renewed.clear()
    assert other.renewed.wait(10)
    assert not held.renewed.is_set()


def test_a_lease_that_is_lost_is_not_renewed_again(keeper: LeaseKeeper) -> None:
    lost, held = Held(holds=False), Held()
    keeper.renew([lost, held])
    assert list(keeper._leases) == []
    keeper.keep(lost)
    assert lost.renewed.wait(10)
    keeper.keep(held)
    held.renewed.clear()
    assert held.renewed.wait(10)
    assert list(keeper._leases) == [held]


def test_a_lease_that_nobody_works_on_any_more_is_forgotten(keeper: LeaseKeeper) -> None:
    held = Held()
    keeper._leases.add(held)
    del held
    gc.collect()
    assert not keeper._leases


def test_a_database_that_fails_is_asked_again(keeper: LeaseKeeper, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    failing = Failing()
    keeper.keep(failing)
    assert failing.renewed.wait(10)
    failing.renewed.clear()
    assert failing.renewed.wait(10)
    assert "Leases could not be renewed: OperationalError" in caplog.text


@pytest.mark.django_db
def test_renewing_a_claim_moves_its_end() -> None:
    claim = claim_key("k", tenant_id="", user=make_user(), fingerprint="f")
    assert isinstance(claim, Claim)
    IdempotencyKey.objects.update(leased_until=F("leased_until") - timedelta(seconds=LEASE))
    assert claim.renew()
    left = IdempotencyKey.objects.get().leased_until - timezone.now()
    assert timedelta(seconds=LEASE - 5) < left <= timedelta(seconds=LEASE + 1)
