"""Problems in the OpenAPI description: which errors an operation answers with, and their form (RFC 9457)."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent

from automate_api.exceptions import ErrorCode
from automate_api.v1.correlation import HEADER
from automate_api.v1.errors import MEDIA_TYPE, TYPE_PREFIX, Problem

_STRING = {"type": "string"}

_FIELD_ERROR = {
    "type": "object",
    "description": "One thing wrong with one field.",
    "required": ["field", "code", "detail"],
    "properties": {
        "field": {**_STRING, "description": "Dotted path from the body's root; empty for the whole."},
        "code": _STRING,
        "detail": _STRING,
    },
}

_PROBLEM = {
    "type": "object",
    "description": "A problem as RFC 9457 has it. Some have further members.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {**_STRING, "format": "uri", "description": f"`{TYPE_PREFIX}<code>`: an identifier, not an address."},
        "title": {**_STRING, "description": "The kind of problem, always in English."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {**_STRING, "description": "What happened, in the caller's language."},
        "code": {**_STRING, "description": "One of: " + ", ".join(f"`{code}`" for code in ErrorCode) + "."},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/AutomateFieldError"}},
    },
    "additionalProperties": True,
}

_EXAMPLES = {
    400: (ErrorCode.INVALID_INPUT, "The request has fields that do not fit."),
    401: (ErrorCode.NOT_AUTHENTICATED, "Authentication credentials were not provided."),
    403: (ErrorCode.PERMISSION_DENIED, "You may not do this."),
    404: (ErrorCode.NOT_FOUND, "There is no such object."),
    409: (ErrorCode.CONFLICT, "This conflicts with what is already there."),
    413: (ErrorCode.PAYLOAD_TOO_LARGE, "The request is too large."),
    415: (ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The media type is not supported."),
    429: (ErrorCode.RATE_LIMITED, "Too many requests."),
    502: (ErrorCode.UPSTREAM_BROKE_OFF, "The model server broke off its answer."),
    503: (ErrorCode.UPSTREAM_UNAVAILABLE, "The model server cannot be reached."),
    504: (ErrorCode.UPSTREAM_TIMEOUT, "The model server took too long."),
}

CORRELATION_HEADER = {"description": "Ties the request to all that it caused.", "schema": {"type": "string"}}


def statuses(operation: Mapping[str, Any], method: str, *, is_run: bool) -> Iterator[int]:
    """The error statuses that an operation of the base views may answer with."""
    yield from (401, 403)
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    if "path" in places:
        yield 404
    if "query" in places or "requestBody" in operation:
        yield 400
    if "requestBody" in operation:
        yield from (413, 415)
    if method != "GET":
        yield 409
    if is_run:
        yield from (429, 502, 503, 504)


def response(status: int, registry: ComponentRegistry) -> dict[str, Any]:
    """The answer of one error status; its component is registered on the way."""
    for name, schema in (("AutomateFieldError", _FIELD_ERROR), ("AutomateProblem", _PROBLEM)):
        registry.register_on_missing(ResolvedComponent(name, ResolvedComponent.SCHEMA, schema, name))  # type: ignore[no-untyped-call]
    code, detail = _EXAMPLES.get(status, (ErrorCode.INTERNAL_ERROR, HTTPStatus(status).phrase))
    content = {"schema": {"$ref": "#/components/schemas/AutomateProblem"}}
    content["example"] = Problem(status, str(code), detail).as_dict()
    return {
        "description": HTTPStatus(status).phrase,
        "headers": _headers(status),
        "content": {MEDIA_TYPE: content},
    }


def _headers(status: int) -> dict[str, Any]:
    headers: dict[str, Any] = {HEADER: CORRELATION_HEADER}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = {"description": "How to authenticate.", "schema": {"type": "string"}}
    if status in {429, 503}:
        headers["Retry-After"] = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
    return headers
