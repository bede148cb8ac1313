"""API keys: issue, recognise, rotate, revoke.

A key reads `aak_<id>_<secret>`: the id (32 hexadecimal digits) finds the row by its primary key, and the secret (256
random bits, URL-safe base64) is compared, as a SHA-512 digest, in constant time. A slow hash would add nothing: 256
random bits cannot be guessed from their digest.

After a rotation with an overlap a key has two secrets, the one before until the time that the row tells.
"""

import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseFailure
from django.db import connections, router, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.exceptions import Conflict, FieldError, InvalidInput, PermissionDenied
from automate_api.models import Actor, APIKey
from automate_api.models.now import Now
from automate_api.models.prepared import PreparedSelect
from automate_api.services.cached_keys import CachedKey, can_keep_users
from automate_api.services.freshness import changing, in_transaction, shared_cache
from automate_api.services.leases import from_now
from automate_api.services.rows import locked, storing, tenant_of

logger = logging.getLogger(__name__)

#: The longest overlap of a rotation, in seconds: a week.
MOST_OVERLAP = 604_800

_live_keys = PreparedSelect(
    APIKey, by=("id",), related=("user",), rows=lambda keys: keys.live().annotate(read_at=Now()), also=("read_at",)
)

_SHAPE = re.compile(r"aak_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")
# Where the secret begins.
_SECRET = len("aak__") + 32
_SCOPE = re.compile(r"\*|Admin:GetModels|[a-z][a-z0-9-]{0,63}:(?:read|write|run)")

# When the last use of a key may be written again by this process, after the database refused it.
_refused_until = 0.0


def looks_like_key(raw: str) -> bool:
    """Whether `raw` has the shape of our keys; says nothing of whether there is one."""
    return _SHAPE.fullmatch(raw) is not None


def authenticate_key(raw: str) -> APIKey | None:
    """The live key one of whose secrets `raw` holds, with its user; None for any other.

    No query where it is in the cache that processes share, else one. A key that is read is noted as used, which is one
    more at most every `AUTOMATE_API_KEY_LAST_USED_EVERY` seconds.
    """
    match = _SHAPE.fullmatch(raw)
    if match is None:
        return None
    # Not a replica, which may be behind: what is revoked there is revoked, and what it tells is kept.
    cache, alias = shared_cache(), router.db_for_write(APIKey)
    cached = None if cache is None or not can_keep_users() else CachedKey(cache, raw, match[1])
    if cached is not None:
        known = cached.get(using=alias)
        if known is not None:
            return known
    key = _of_active_user(_live_keys.get(UUID(match[1]), using=alias))
    if key is None:
        return None
    accepted, ends = _accepts(key, _digest(match[2]))
    if not accepted:
        return None
    if cached is not None:
        cached.put(key, seconds=None if ends is None else (ends - _read_at(key)).total_seconds(), ends=ends)
    _note_use(key)
    return key


def find_live_key(key_id: UUID) -> APIKey | None:
    """The live key with this id, with its user, whoever asks; None where there is none. One query."""
    return _of_active_user(_live_keys.get(key_id, using=router.db_for_write(APIKey)))


def _of_active_user(key: APIKey | None) -> APIKey | None:
    """`key`, also where the host's users tell by something else than a column whether they are active."""
    return key if key is not None and getattr(key.user, "is_active", True) else None


def digest_of(raw: str) -> str:
    """The digest of the secret in `raw`, which has the shape of our keys."""
    return _digest(raw[_SECRET:])


def live_digests(key: APIKey) -> list[str]:
    """Of the secrets that open `key`, which `find_live_key` has found: the current one's, and the old in an overlap."""
    return [digest for digest in (key.digest, key.previous_digest) if digest and _accepts(key, digest)[0]]


def _accepts(key: APIKey, digest: str) -> tuple[bool, datetime | None]:
    """Whether it is one of the key's secrets, and when it stops being one: None where no time is set."""
    is_current = hmac.compare_digest(key.digest, digest)
    is_previous = hmac.compare_digest(key.previous_digest, digest)
    if is_current or not is_previous:
        return is_current, key.expires_at
    if key.previous_until is None or key.previous_until <= _read_at(key):
        return False, None
    return True, key.previous_until if key.expires_at is None else min(key.previous_until, key.expires_at)


def _read_at(key: APIKey) -> datetime:
    """When it was read, by the database's clock."""
    read_at: datetime = vars(key)["read_at"]
    return read_at


def _note_use(key: APIKey) -> None:
    """Have it written that `key` was used, if that is due; after the request's transaction where there is one."""
    due = timedelta(seconds=settings.key_last_used_every)
    if time.monotonic() < _refused_until or (key.last_used_at and key.last_used_at + due > _read_at(key)):
        return
    alias = router.db_for_write(APIKey)
    connection = connections[alias]
    if connection.in_atomic_block or not in_transaction(connection):
        transaction.on_commit(partial(_write_use, key.pk, alias), using=alias, robust=True)


def _write_use(pk: UUID, alias: str) -> None:
    global _refused_until
    before = from_now(-settings.key_last_used_every)
    # Asked again: another process may have written it a moment ago.
    due = APIKey.objects.using(alias).filter(Q(last_used_at__isnull=True) | Q(last_used_at__lte=before), pk=pk)
    try:
        due.update(last_used_at=Now())
    except DatabaseFailure as exc:
        _refused_until = time.monotonic() + settings.key_last_used_every
        logger.warning("The last use of an API key could not be written: %s", type(exc).__name__)


def issue_key(
    *, tenant_id: str, user: Any, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[APIKey, str]:
    """A new key and its text, which is nowhere stored and cannot be had again.

    Raises:
        InvalidInput: a scope is none.
    """
    secret = secrets.token_urlsafe(32)
    key = APIKey(tenant_id=tenant_id, user=user, name=name, scopes=_checked(scopes), expires_at=expires_at)
    key.digest = _digest(secret)
    key.save(force_insert=True)
    return key, _text(key, secret)


def create_key(
    *, actor: Actor, name: str, scopes: Iterable[str], user: Any = None, expires_at: datetime | None = None
) -> tuple[APIKey, str]:
    """`issue_key` in the actor's tenant, for `user` or the actor itself.

    Raises:
        PermissionDenied: the actor acts by a key that has not all of `scopes` itself, or that expires earlier.
        InvalidInput: a scope is none.
    """
    scopes = list(scopes)
    _require_no_more_than_own(actor, scopes, expires_at)
    return issue_key(
        tenant_id=tenant_of(actor), user=user or actor.user, name=name, scopes=scopes, expires_at=expires_at
    )


def rotate_key(key: APIKey, *, actor: Actor, overlap_seconds: int | None = None) -> tuple[APIKey, str]:
    """Give `key` a new secret.

    The old one goes on working for `overlap_seconds`, which is `AUTOMATE_API_KEY_OVERLAP` unless given; with 0 it stops
    at once. One that was before the old one stops at once in any case.

    Raises:
        PermissionDenied: the actor acts by a key that has not all scopes of this one, or that expires earlier.
        Conflict: the key is revoked.
        InvalidInput: the overlap is none.
    """
    overlap = settings.key_overlap if overlap_seconds is None else overlap_seconds
    if not 0 <= overlap <= MOST_OVERLAP:
        raise InvalidInput([FieldError("overlap_seconds", "invalid", str(_("This is from 0 seconds to a week.")))])
    secret = secrets.token_urlsafe(32)
    with storing():
        current = locked(key)
        _require_no_more_than_own(actor, current.scopes, current.expires_at)
        if current.revoked_at is not None:
            raise Conflict(_("A revoked key cannot be rotated."))
        current.previous_digest = current.digest if overlap else ""
        current.previous_until = from_now(overlap) if overlap else None
        current.digest = _digest(secret)
        current.save(update_fields=["digest", "previous_digest", "previous_until"])
        current.refresh_from_db(fields=["previous_until"])
    return current, _text(current, secret)


def revoke_key(key: APIKey) -> None:
    """Make `key` useless for good, with both secrets where it has two. Revoking twice changes nothing.

    It counts at once in every process. Where the shared cache does not answer this one and answers others, it counts
    there within a minute: to refuse would let it go on for longer.
    """
    alias = router.db_for_write(APIKey)
    with transaction.atomic(using=alias):
        changing(f"key:{key.pk.hex}", using=alias, required=False)
        APIKey.objects.using(alias).filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=Now())


def _text(key: APIKey, secret: str) -> str:
    return f"aak_{key.pk.hex}_{secret}"


def _digest(secret: str) -> str:
    return hashlib.sha512(secret.encode()).hexdigest()


def _checked(scopes: Iterable[str]) -> list[str]:
    scopes = sorted(set(scopes))
    if not scopes or not all(_SCOPE.fullmatch(scope) for scope in scopes):
        detail = str(_("Scopes are * or <resource>:read, :write or :run, at least one."))
        raise InvalidInput([FieldError("scopes", "invalid", detail)])
    return scopes


def _require_no_more_than_own(actor: Actor, scopes: Iterable[str], expires_at: datetime | None) -> None:
    own = actor.api_key
    if own is None:
        return
    outlives = own.expires_at is not None and (expires_at is None or expires_at > own.expires_at)
    if outlives or ("*" not in own.scopes and not set(scopes) <= set(own.scopes)):
        raise PermissionDenied(_("A key can make only keys that may do no more than itself, and no longer."))
