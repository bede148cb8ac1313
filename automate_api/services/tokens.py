"""Tokens of organizations: JSON Web Tokens (RFC 7519, as RFC 8725 advises) that stand for an API key for an hour.

Each is signed with the first of `AUTOMATE_API_SIGNING_KEYS` by HMAC-SHA-256, and is verified with whichever of them its
`kid` names. It says which key of which organization it stands for, and no more: what its holder may do is looked up
when it is used, so that it ends with the key, with the user's account, and with the secret that it was given for.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.exceptions import NotConfigured
from automate_api.models import APIKey
from automate_api.services.api_keys import authenticate_key, digest_of, find_live_key, live_digests

#: How long a token lives.
LIFETIME = timedelta(hours=1)

#: As many bytes as the hash has (RFC 7518, section 3.2).
SHORTEST_KEY = 32

#: What tokens are meant for; another service's with the same keys are none of ours.
AUDIENCE = "automate-organization"
#: The `typ` of their header, by which they are told from other people's.
TYPE = "automate-organization+jwt"

_ALGORITHM = "HS256"
_CLAIMS = ("iss", "aud", "sub", "iat", "exp", "jti", "key", "ver")
# What ours look like. None is nearly as long, and a longer one is not even decoded.
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token's text, which is nowhere stored, and when it ends."""

    text: str
    expires_at: datetime


def sign_in(*, organization: str, api_key: str, key_id: str, user_id: str) -> IssuedToken | None:
    """A token for the API key with this text, if it has this id, is this user's, and is of this organization.

    None for anything else, and nothing tells which of them was wrong. At most one query.

    Raises:
        NotConfigured: there is no key to sign with.
    """
    signing = _signing_keys()
    key = authenticate_key(api_key)
    if key is None:
        return None
    claimed = ((str(key.pk), key_id), (str(key.user_id), user_id), (key.tenant_id, organization))
    # All are compared, whatever comes of the first.
    matches = [_same(*pair) for pair in claimed]
    # The digest is of what was sent: the row's may be of another secret, even of one from a moment later.
    return _issue(key, digest_of(api_key), *next(iter(signing.items()))) if all(matches) else None


def looks_like_token(text: str) -> bool:
    """Whether `text` says of itself that it is one of ours; whether it is, says `authenticate_token`."""
    return _header(text).get("typ") == TYPE


def authenticate_token(text: str) -> APIKey | None:
    """The live API key that a token stands for, with its user; None unless it is one of ours and has not ended.

    One query, and none for a text that nobody here has signed.

    Raises:
        NotConfigured: there are no keys to verify it with.
    """
    keys = _signing_keys()
    signing = keys.get(str(_header(text).get("kid")))
    claims = None if signing is None else _verified(text, signing)
    if signing is None or claims is None:
        return None
    key = find_live_key(UUID(claims["key"]))
    if key is None:
        return None
    expected = {"iss": key.tenant_id, "sub": str(key.user_id)}
    is_whose = all(_same(claims[name], value) for name, value in expected.items())
    is_live = any(_same(claims["ver"], _version(key, digest, signing)) for digest in live_digests(key))
    return key if is_whose and is_live else None


def usable_signing_keys() -> list[str]:
    """Those of `AUTOMATE_API_SIGNING_KEYS` that are long enough, in their order."""
    keys: Any = settings.signing_keys
    # A string would be taken for its letters, and None is of no use to anybody.
    keys = keys if isinstance(keys, list | tuple) else ()
    return [key for key in keys if isinstance(key, str) and len(key.encode()) >= SHORTEST_KEY]


def _issue(key: APIKey, digest: str, kid: str, signing: str) -> IssuedToken:
    now = datetime.now(tz=UTC).replace(microsecond=0)
    claims = {
        "iss": key.tenant_id,
        "aud": AUDIENCE,
        "sub": str(key.user_id),
        "iat": now,
        "exp": now + LIFETIME,
        "jti": uuid4().hex,
        "key": key.pk.hex,
        "ver": _version(key, digest, signing),
    }
    text = jwt.encode(claims, signing, algorithm=_ALGORITHM, headers={"kid": kid, "typ": TYPE})
    return IssuedToken(text, now + LIFETIME)


def _verified(text: str, signing: str) -> Mapping[str, str] | None:
    """The claims of a token that was signed with this key; None if it was not, or has ended."""
    # Of our own clocks one may be ahead: a token may be from the future by that, and lives no longer for it.
    options: Any = {"require": list(_CLAIMS), "verify_iat": False}
    try:
        return jwt.decode(text, signing, algorithms=[_ALGORITHM], audience=AUDIENCE, options=options)
    except jwt.InvalidTokenError:
        return None


def _header(text: str) -> Mapping[str, Any]:
    """What a token's header says, which nobody may have signed; nothing where it cannot be read."""
    if len(text) > _LONGEST or _SHAPE.fullmatch(text) is None:
        return {}
    try:
        return jwt.get_unverified_header(text)
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return {}


def _signing_keys() -> dict[str, str]:
    """The usable keys by their ids, in their order."""
    found = {_id_of(key): key for key in usable_signing_keys()}
    if not found:
        raise NotConfigured(_("There is no key to sign tokens with."))
    return found


def _id_of(signing: str) -> str:
    """What a token calls the key it was signed with."""
    return hashlib.sha256(b"automate-signing-key:" + signing.encode()).hexdigest()[:16]


def _version(key: APIKey, digest: str, signing: str) -> str:
    """Which secret of the API key a token was given for, so that it ends with it; only who can sign can tell."""
    return hmac.digest(signing.encode(), f"{key.pk.hex}:{digest}".encode(), "sha256").hex()[:32]


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(*(text.encode("utf-8", "surrogatepass") for text in (one, other)))
