"""`manage.py prune` deletes what is old and says how much."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import F

from automate_api.models import IdempotencyKey
from automate_api.services.idempotency import Claim, claim_key
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def prune(stderr: StringIO | None = None) -> str:
    out = StringIO()
    call_command("prune", stdout=out, stderr=stderr or StringIO())
    return out.getvalue()


def test_old_idempotency_keys_go() -> None:
    for number in range(3):
        outcome = claim_key(str(number), tenant_id="", user=make_user(), fingerprint="f")
        assert isinstance(outcome, Claim)
        outcome.complete("x")
    IdempotencyKey.objects.filter(key__in="01").update(created_at=F("created_at") - timedelta(days=2))
    assert prune() == "idempotency keys: 2 deleted\n"
    assert prune() == "idempotency keys: 0 deleted\n"
    assert IdempotencyKey.objects.count() == 1
