"""Headers in the OpenAPI description: what may be sent with a request, and what comes with an answer."""

from functools import partial
from typing import Any

from drf_spectacular.plumbing import ComponentRegistry
from inflection import camelize

from automate_api.v1.correlation import HEADER as CORRELATION_ID
from automate_api.v1.idempotency import HEADER as IDEMPOTENCY_KEY
from automate_api.v1.idempotency import REPLAYED
from automate_api.v1.schema.components import HEADER, PARAMETER, component

LIMITS = ("RateLimit", "RateLimit-Policy")

_SENT: dict[str, dict[str, Any]] = {
    CORRELATION_ID: {
        "description": "Ties the request to all that it causes. One is made where none is sent.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
        "example": "order-4711",
    },
    IDEMPOTENCY_KEY: {
        "description": "Makes it safe to send the request again: what was answered to this key is answered again, and "
        "nothing is done twice. Of your own choosing, for each thing to be done another.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
        "example": "7c1f2f6e-6a0e-4f0e-9a52-0d5f6c1d9b11",
    },
}

_RECEIVED: dict[str, dict[str, Any]] = {
    CORRELATION_ID: {
        "description": "Ties the request to all that it caused: it stands in executions, prompt logs and the log.",
        "schema": {"type": "string"},
        "example": "order-4711",
    },
    REPLAYED: {
        "description": "Comes with an answer that was given to the same `Idempotency-Key` before.",
        "schema": {"type": "boolean"},
        "example": True,
    },
    "RateLimit": {
        "description": "What is left of each limit that counts this request, the tightest first: calls, and seconds "
        "until its window ends (draft-ietf-httpapi-ratelimit-headers). Absent where there is none.",
        "schema": {"type": "string"},
        "example": '"endpoint";r=99;t=1740',
    },
    "RateLimit-Policy": {
        "description": "Those limits: calls admitted in a window, and the window in seconds.",
        "schema": {"type": "string"},
        "example": '"endpoint";q=100;w=3600',
    },
    "Retry-After": {
        "description": "Seconds to wait before another try.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 1740,
    },
    "WWW-Authenticate": {
        "description": "How to authenticate.",
        "schema": {"type": "string"},
        "example": 'Bearer realm="api"',
    },
}


def received(registry: ComponentRegistry, *names: str) -> dict[str, Any]:
    """Headers of an answer, by name."""
    return {name: component(registry, HEADER, _title(name), partial(dict, _RECEIVED[name])) for name in names}


def sent(registry: ComponentRegistry, name: str) -> dict[str, str]:
    """A header that a request may have, as a parameter."""
    return component(registry, PARAMETER, _title(name), lambda: {"name": name, "in": "header", **_SENT[name]})


def _title(name: str) -> str:
    return "Automate" + camelize(name.removeprefix("X-").replace("-", "_"))
