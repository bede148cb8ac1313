"""Idempotency keys: a request is carried out once, and answered as often as it is sent."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFailure
from django.db import IntegrityError, transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils.crypto import salted_hmac

from automate_api.conf import settings
from automate_api.exceptions import IdempotencyAnswerGone, IdempotencyInFlight, IdempotencyKeyReused
from automate_api.models import IdempotencyKey
from automate_api.models.now import Now
from automate_api.security.redaction import redact
from automate_api.security.secrets import Secret
from automate_api.services import leases
from automate_api.services.leases import from_now, lease_end

logger = logging.getLogger(__name__)

_MOST_ATTEMPTS = 5


class Claim:
    """The right to carry out one request; nobody else has it until the claim ends or its process has died."""

    def __init__(self, pk: UUID, token: UUID) -> None:
        self.pk, self.token = pk, token
        leases.keeper.keep(self)

    @classmethod
    def renew_all(cls, leases: Sequence["Claim"]) -> None:
        """Hold these claims for longer; those that somebody else has, or that have ended, stay as they are."""
        tokens = [claim.token for claim in leases]
        held = IdempotencyKey.objects.filter(token__in=tokens, pk__in=[claim.pk for claim in leases])
        held.filter(completed_at__isnull=True).update(leased_until=lease_end())

    def rest(self) -> None:
        """Renew it no longer, until `resume()`: it ends with its lease if nobody takes the work up."""
        leases.keeper.drop(self)

    def resume(self) -> None:
        """Renew it again."""
        leases.keeper.keep(self)

    def complete(self, answer: str | None) -> None:
        """The request was carried out. `answer` is what later ones get; None: it cannot be kept."""
        leases.keeper.drop(self)
        try:
            self._held().update(completed_at=Now(), answer=_sealed(answer))
        except DatabaseFailure as exc:
            # The caller has its answer all the same; the key is free again when the lease has run out.
            logger.error("An answer could not be stored under its idempotency key: %s", type(exc).__name__)

    def release(self) -> None:
        """The request was not carried out: the next one with the key is."""
        leases.keeper.drop(self)
        try:
            self._held().delete()
        except DatabaseFailure as exc:
            logger.error("An idempotency key could not be released: %s", type(exc).__name__)

    def _held(self) -> Any:
        return IdempotencyKey.objects.filter(pk=self.pk, token=self.token, completed_at__isnull=True)


def claim_key(key: str, *, tenant_id: str, user: Any, fingerprint: str) -> Claim | str:
    """Claim `key` for the caller, or the answer that was given to the same request before.

    A key that must not be stored as it is has a digest in its place. The claim is committed when this returns, so call
    it outside any transaction.

    Raises:
        IdempotencyKeyReused: the key was sent with another request.
        IdempotencyInFlight: the same request is at work.
        IdempotencyAnswerGone: it was carried out, and its answer could not be kept.
    """
    key = _storable(key)
    mine = IdempotencyKey.objects.filter(tenant_id=tenant_id, user_id=user.pk, key=key)
    for _attempt in range(_MOST_ATTEMPTS):
        claim = _new_claim(key, tenant_id=tenant_id, user=user, fingerprint=fingerprint)
        if claim is not None:
            return claim
        found = mine.annotate(is_leased=_is(leased_until__gt=Now()), is_expired=_is(created_at__lte=_kept_since()))
        row = found.first()
        if row is not None and not row.is_expired:
            return _taken(row, fingerprint)
        # Released meanwhile, or kept for long enough: nobody's any more.
        mine.filter(created_at__lte=_kept_since()).unleased().delete()
    raise IdempotencyInFlight


def _storable(key: str) -> str:
    if redact(key) == key:
        return key
    return f"[redacted] {salted_hmac('automate_api.idempotency', key, algorithm='sha256').hexdigest()}"


def _new_claim(key: str, *, tenant_id: str, user: Any, fingerprint: str) -> Claim | None:
    row = IdempotencyKey(tenant_id=tenant_id, user_id=user.pk, key=key, fingerprint=fingerprint, token=uuid4())
    row.leased_until = lease_end()
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return None
    return Claim(row.pk, row.token)


def _taken(row: Any, fingerprint: str) -> Claim | str:
    if row.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    if row.completed_at is not None:
        return _opened(row.answer)
    token = uuid4()
    abandoned = IdempotencyKey.objects.abandoned().filter(pk=row.pk, token=row.token)
    if row.is_leased or not abandoned.update(token=token, leased_until=lease_end()):
        raise IdempotencyInFlight
    return Claim(row.pk, token)


def _is(**condition: Any) -> "ExpressionWrapper[Any]":
    return ExpressionWrapper(Q(**condition), output_field=BooleanField())


def _kept_since() -> Any:
    return from_now(-settings.idempotency_retention)


def _sealed(answer: str | None) -> Secret:
    try:
        return Secret.of(answer or "")
    except ImproperlyConfigured as exc:
        logger.error("An answer cannot be stored under its idempotency key: %s", exc)
        return Secret("")


def _opened(answer: Secret) -> str:
    try:
        text = answer.reveal()
    except ImproperlyConfigured as exc:
        logger.error("An answer stored under an idempotency key cannot be read: %s", exc)
        raise IdempotencyAnswerGone from exc
    if not text:
        raise IdempotencyAnswerGone
    return text


def count_expired() -> int:
    """How many keys have been kept for long enough."""
    return int(_expired().count())


def prune(*, batch: int = 1000) -> Iterator[int]:
    """Delete keys that have been kept for long enough; yields how many, batch by batch."""
    while chosen := list(_expired().order_by("created_at").values_list("pk", flat=True)[:batch]):
        # Asked again, since one of them may have been claimed meanwhile.
        deleted, _by_model = _expired().filter(pk__in=chosen).delete()
        yield deleted


def _expired() -> Any:
    return IdempotencyKey.objects.filter(created_at__lte=_kept_since()).unleased()
