"""API keys: issue, recognise, rotate, revoke.

A key reads `aak_<id>_<secret>`: the id (32 hexadecimal digits) finds the row by its primary key, and the secret (256
random bits, URL-safe base64) is compared, as a SHA-512 digest, in constant time. A slow hash would add nothing: 256
random bits cannot be guessed from their digest.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from automate_api.exceptions import Conflict, FieldError, InvalidInput, PermissionDenied
from automate_api.models import Actor, APIKey
from automate_api.models.now import Now
from automate_api.models.prepared import PreparedSelect
from automate_api.services.rows import locked, storing, tenant_of

_live_keys = PreparedSelect(APIKey, by=("id",), related=("user",), rows=lambda keys: keys.live())

_SHAPE = re.compile(r"aak_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")
_SCOPE = re.compile(r"\*|Admin:GetModels|[a-z][a-z0-9-]{0,63}:(?:read|write|run)")


def looks_like_key(raw: str) -> bool:
    """Whether `raw` has the shape of our keys; says nothing of whether there is one."""
    return _SHAPE.fullmatch(raw) is not None


def authenticate_key(raw: str) -> APIKey | None:
    """The live key whose secret `raw` holds, with its user; None for any other. One query."""
    match = _SHAPE.fullmatch(raw)
    if match is None:
        return None
    key = _live_keys.get(UUID(match[1]))
    if key is None or not hmac.compare_digest(key.digest, _digest(match[2])):
        return None
    return key


def find_live_key(key_id: UUID) -> APIKey | None:
    """The live key with this id, with its user, whoever asks; None where there is none. One query."""
    return _live_keys.get(key_id)


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


def rotate_key(key: APIKey, *, actor: Actor) -> tuple[APIKey, str]:
    """Give `key` a new secret; the old one stops working at once.

    Raises:
        PermissionDenied: the actor acts by a key that has not all scopes of this one, or that expires earlier.
        Conflict: the key is revoked.
    """
    _require_no_more_than_own(actor, key.scopes, key.expires_at)
    secret = secrets.token_urlsafe(32)
    with storing():
        current = locked(key)
        if current.revoked_at is not None:
            raise Conflict(_("A revoked key cannot be rotated."))
        current.digest = _digest(secret)
        current.save(update_fields=["digest"])
    return current, _text(current, secret)


def revoke_key(key: APIKey) -> None:
    """Make `key` useless for good. Revoking twice changes nothing."""
    APIKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=Now())


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
