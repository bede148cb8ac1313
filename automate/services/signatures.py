"""Signatures of requests to hooks: who has the secret has sent them, as they are.

Two schemes: Standard Webhooks (https://www.standardwebhooks.com, symmetric signatures `v1`), and GitHub's
(`X-Hub-Signature-256`), which others have too. The latter signs neither the time nor the delivery's id.
"""

import base64
import binascii
import hmac
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate.models import Trigger

STANDARD, GITHUB = Trigger.Signature.STANDARD, Trigger.Signature.GITHUB

#: Seconds by which a signed time may differ from ours.
TOLERANCE = 300

_PREFIX = "whsec_"
_BYTES = 32
# Of its bytes, as the standard has it; of GitHub's in characters, which may be anything.
_LEAST, _MOST = 24, 64
_LEAST_TEXT, _MOST_TEXT = 16, 255
_SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the headers of a request say of it: the sender's id of it, and what GitHub calls the event."""

    id: str
    event: str


def make_secret(scheme: str) -> str:
    """A new secret of 256 bits."""
    if scheme == STANDARD:
        return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()
    return secrets.token_urlsafe(_BYTES)


def fault_of_secret(scheme: str, secret: str) -> Any:
    """Why `secret` is none for the scheme, in a sentence; None where it is one."""
    if scheme == STANDARD:
        return None if _LEAST <= len(_key_of(secret)) <= _MOST else _("This is whsec_ and 24 to 64 bytes in base64.")
    fits = _LEAST_TEXT <= len(secret) <= _MOST_TEXT and secret.isascii() and secret.isprintable()
    return None if fits else _("This has 16 to 255 printable ASCII characters.")


def verify(scheme: str, secret: str, *, headers: Mapping[str, str], body: bytes) -> Delivery | None:
    """What the request delivers, if its body, and whatever else the scheme has it sign, is signed with the secret.

    Args:
        scheme: one of `Trigger.Signature`.
        secret: as `make_secret` makes it.
        headers: by their names, in any case where the mapping does not mind.
        body: byte for byte.
    """
    if scheme == STANDARD:
        return _verify_standard(_key_of(secret), headers, body)
    if scheme == GITHUB:
        return _verify_github(secret.encode(), headers, body)
    return None


def _verify_standard(key: bytes, headers: Mapping[str, str], body: bytes) -> Delivery | None:
    delivery, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not key or not delivery or not _SECONDS.fullmatch(seconds) or abs(time.time() - int(seconds)) > TOLERANCE:
        return None
    digest = hmac.digest(key, f"{delivery}.{seconds}.".encode() + body, "sha256")
    expected = b"v1," + base64.b64encode(digest)
    # While a sender changes its secret it signs with both.
    signatures = headers.get("webhook-signature", "").split(" ")
    matches = [hmac.compare_digest(expected, signature.encode()) for signature in signatures]
    return Delivery(delivery, "") if any(matches) else None


def _verify_github(key: bytes, headers: Mapping[str, str], body: bytes) -> Delivery | None:
    expected = "sha256=" + hmac.digest(key, body, "sha256").hex()
    signature = headers.get("x-hub-signature-256", "")
    if not key or not hmac.compare_digest(expected.encode(), signature.encode()):
        return None
    return Delivery(headers.get("x-github-delivery", ""), headers.get("x-github-event", ""))


def _key_of(secret: str) -> bytes:
    """The bytes of a secret of Standard Webhooks; none where it has another form."""
    if not secret.startswith(_PREFIX) or not secret.isascii():
        return b""
    text = secret.removeprefix(_PREFIX)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return b""
