"""Hooks: addresses that others call to start a workflow.

The address has a token of 256 random bits, of which a digest is stored; who calls it signs what is sent besides.
"""

import hashlib
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from automate.models import Trigger
from automate.services.own_events import HOOK, source_of_trigger, tell
from automate.services.signatures import Delivery, verify
from automate_api.exceptions import NotFound
from automate_api.services.secrets import encrypting

logger = logging.getLogger(__name__)

_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def make_token() -> str:
    """A new token, which is nowhere stored."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """What is stored of a token: 256 random bits cannot be guessed from it."""
    return hashlib.sha512(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Received:
    """A request to a hook that its sender has signed."""

    trigger: Trigger
    delivery: Delivery


def authenticate(token: str, *, headers: Mapping[str, str], body: bytes) -> Received:
    """Find the hook that a request is for, and see whether it is signed. Nothing that was sent is read before.

    Args:
        token: of the hook's address.
        headers: those of the request; their names in any case.
        body: what was sent, byte for byte.

    Raises:
        NotFound: there is no such hook, or it or its workflow is switched off, or the signature is wrong. Nobody can
            tell which.
        NotConfigured: the host cannot decrypt the signing secret.
    """
    trigger = _find(token)
    if trigger is None:
        raise NotFound
    with encrypting():
        secret = trigger.signing_secret.reveal()
    delivery = verify(trigger.signature, secret, headers=headers, body=body)
    if delivery is None:
        logger.info("A request to the hook of trigger %s is not signed as it should be.", trigger.pk)
        raise NotFound
    return Received(trigger, delivery)


def receive(received: Received, *, payload: Any, correlation_id: str) -> tuple[UUID, str]:
    """Store a request to a hook as an event, once for each id that its sender has given it.

    Args:
        received: whose it is, and its id.
        payload: what was sent as a JSON value, checked.
        correlation_id: stored with the event.

    Returns:
        The event's id, and `ACCEPTED` or `DUPLICATE`.

    Raises:
        NotConfigured: the host cannot run jobs.
    """
    event = _event(received.trigger, received.delivery, payload)
    return tell([event], tenant_id=received.trigger.tenant_id, correlation_id=correlation_id)[0]


def _find(token: str) -> Trigger | None:
    if not _SHAPE.fullmatch(token):
        return None
    hooks = Trigger.objects.filter(kind=Trigger.Kind.HOOK, token_hash=digest_of(token))
    enabled = hooks.filter(enabled=True, workflow__enabled=True)
    found: Trigger | None = enabled.only("tenant_id", "signature", "signing_secret").first()
    return found


def _event(trigger: Trigger, delivery: Delivery, payload: Any) -> Mapping[str, Any]:
    named = payload.get("type") if isinstance(payload, dict) else None
    said = {"id": delivery.id, "event": delivery.event or (named if isinstance(named, str) else ""), "body": payload}
    # Their id may be anything that a header can hold.
    key = hashlib.sha256(delivery.id.encode()).hexdigest() if delivery.id else None
    return {"type": HOOK, "source": source_of_trigger(trigger), "payload": said, "idempotency_key": key}
