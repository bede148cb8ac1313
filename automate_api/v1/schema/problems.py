"""Problems in the OpenAPI description: which errors an operation answers with, and their form (RFC 9457)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from drf_spectacular.plumbing import ComponentRegistry
from rest_framework import exceptions as drf

from automate_api import exceptions as ours
from automate_api.exceptions import ErrorCode, FieldError, Usage
from automate_api.v1.correlation import HEADER as CORRELATION_ID
from automate_api.v1.errors import (
    MEDIA_TYPE,
    TYPE_PREFIX,
    LengthRequired,
    PreconditionFailed,
    RangeNotSatisfiable,
    problem_for,
)
from automate_api.v1.schema.components import RESPONSE, SCHEMA, component, object_of
from automate_api.v1.schema.headers import LIMITS, received

_STRING = {"type": "string"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One error answer: the errors it stands for, each of which is an example of it."""

    status: int
    name: str
    description: str
    errors: Sequence[Callable[[], Exception]]
    headers: Sequence[str] = ()

    def reference(self, registry: ComponentRegistry) -> dict[str, str]:
        """A reference to it; its components are registered on the way."""
        return component(registry, RESPONSE, f"Automate{self.name}", lambda: self._response(registry))

    def _response(self, registry: ComponentRegistry) -> dict[str, Any]:
        found = [problem_for(make()) for make in self.errors]
        examples = {problem.code: {"value": problem.as_dict()} for problem in found if problem}
        return {
            "description": self.description,
            "headers": received(registry, CORRELATION_ID, *self.headers),
            "content": {MEDIA_TYPE: {"schema": problem_schema(registry), "examples": examples}},
        }


def _misfit() -> ours.InvalidInput:
    return ours.InvalidInput([FieldError("name", "required", "This field is required.")])


def _too_many() -> ours.Unprocessable:
    return ours.Unprocessable([FieldError("prefix", "too_many", "More than 1000 are meant. Make the prefix longer.")])


def _over_the_limit() -> ours.RateLimited:
    usage = Usage("endpoint", "100/hour", quota=100, window=3600, count=101, resets_in=1740)
    return ours.RateLimited("Too many requests: the limit “endpoint” is 100/hour.", usage=usage)


def _of_a_run(error: Callable[[], ours.AutomateError]) -> Callable[[], Exception]:
    def make() -> Exception:
        exc = error()
        exc.extensions["execution"] = "01a0b1c2-d3e4-7f56-8a9b-0c1d2e3f4a5b"
        return exc

    return make


_LIMIT = ("Retry-After", *LIMITS)
_CLAIM = (ours.IdempotencyInFlight, ours.IdempotencyAnswerGone)
_UPSTREAM = (
    ours.UpstreamFailed,
    ours.UpstreamRejected,
    ours.UpstreamAuthFailed,
    ours.UpstreamBrokeOff,
    ours.UpstreamInvalid,
    ours.UpstreamTooLarge,
    ours.OutboundBlocked,
)

_USUAL = [
    Answer(400, "BadRequest", "Something that was sent does not fit, or cannot be read.", (_misfit, drf.ParseError)),
    Answer(
        401,
        "Unauthorized",
        "No credentials, or none that are valid.",
        (drf.NotAuthenticated, drf.AuthenticationFailed),
        ("WWW-Authenticate",),
    ),
    Answer(403, "Forbidden", "The user's role or the key's scopes do not admit this.", (ours.PermissionDenied,)),
    Answer(404, "NotFound", "There is no such object, or none that the caller may know of.", (ours.NotFound,)),
    Answer(406, "NotAcceptable", "`Accept` names no form that this has.", (drf.NotAcceptable,)),
    Answer(409, "Conflict", "Another object, or the state of this one, stands in the way.", (ours.Conflict,)),
    Answer(411, "LengthRequired", "The body comes without a length.", (LengthRequired,)),
    Answer(413, "PayloadTooLarge", "The body is larger than this server takes.", (ours.PayloadTooLarge,)),
    Answer(412, "PreconditionFailed", "It is not as the conditions want it to be.", (PreconditionFailed,)),
    Answer(
        415,
        "UnsupportedMediaType",
        "The body is not JSON in UTF-8.",
        (lambda: drf.UnsupportedMediaType("text/plain"),),
    ),
    Answer(416, "RangeNotSatisfiable", "It ends before the range begins.", (RangeNotSatisfiable,)),
    Answer(
        422,
        "IdempotencyKeyReused",
        "The idempotency key was sent before, with another request.",
        (ours.IdempotencyKeyReused,),
    ),
    Answer(429, "RateLimited", "A limit of this server is reached.", (_over_the_limit,), _LIMIT),
    Answer(503, "NotConfigured", "The host has not set up what this needs.", (ours.NotConfigured,), ("Retry-After",)),
]
_OF_GET = [
    Answer(422, "Unprocessable", "What was sent is not enough, or asks for too much.", (_too_many,)),
]
_OF_POST = [
    Answer(
        409,
        "PostConflict",
        "Another object, or the state of this one, or a request with the same idempotency key stands in the way.",
        (ours.Conflict, *_CLAIM),
    ),
]
#: What a view says with `error_statuses` of files, where the usual says something else.
NOT_A_FORM = Answer(
    415,
    "NotAForm",
    "The body is not `multipart/form-data`.",
    (lambda: drf.UnsupportedMediaType("application/json"),),
)
NO_STORAGE = Answer(
    503,
    "StorageUnavailable",
    "The storage does not take the file, or cannot give it.",
    (lambda: ours.StorageUnavailable("The file cannot be read."),),
    ("Retry-After",),
)
NO_CACHE = Answer(
    503,
    "CacheUnavailable",
    "Other processes cannot be told of the change, which was not made.",
    (ours.CacheUnavailable,),
    ("Retry-After",),
)
#: The same of a view that also stores secrets.
NOT_STORED = Answer(
    503,
    "NotStored",
    "The host has not set up what this needs, or the cache that processes share does not answer.",
    (ours.NotConfigured, ours.CacheUnavailable),
    ("Retry-After",),
)
_OF_RUN = [
    Answer(
        409,
        "RunConflict",
        "The endpoint is switched off, the run was stopped, or a request with the same idempotency key stands in the "
        "way.",
        (ours.Conflict, _of_a_run(ours.RunCancelled), *_CLAIM),
    ),
    Answer(
        429,
        "RunRateLimited",
        "A limit of this server or of the model server is reached.",
        (_over_the_limit, _of_a_run(ours.UpstreamRateLimited)),
        _LIMIT,
    ),
    Answer(502, "UpstreamFailed", "The model server failed.", [_of_a_run(error) for error in _UPSTREAM]),
    Answer(
        503,
        "Unavailable",
        "The model server cannot be reached, the run could not be stored, or the host has not set up what this needs.",
        (_of_a_run(ours.UpstreamUnavailable), ours.StorageUnavailable, ours.NotConfigured),
        ("Retry-After",),
    ),
    Answer(
        504,
        "Timeout",
        "The model server, or the run, took too long.",
        (_of_a_run(ours.UpstreamTimeout), _of_a_run(ours.RunTimeout)),
    ),
]


def answers(
    operation: Mapping[str, Any], method: str, *, is_run: bool, further: Collection[int | Answer] = ()
) -> Iterator[Answer]:
    """The error answers of an operation of the base views, by status.

    Args:
        operation: as far as it is known.
        method: in upper case.
        is_run: whether it runs something to its end.
        further: statuses that the view says it has besides, or answers where they say something of their own.
    """
    known = {answer.status: answer for answer in _USUAL}
    known |= {answer.status: answer for answer in (_OF_GET if method == "GET" else ())}
    known |= {answer.status: answer for answer in (_OF_POST if method == "POST" else ())}
    known |= {answer.status: answer for answer in (_OF_RUN if is_run else ())}
    own = {answer.status: answer for answer in further if isinstance(answer, Answer)}
    known |= own
    besides = {status for status in further if isinstance(status, int)} | own.keys()
    statuses = {*_statuses(operation, method), *(answer.status for answer in _OF_RUN if is_run), *besides}
    for status in sorted(statuses):
        yield known.get(status) or _other(status)


def _statuses(operation: Mapping[str, Any], method: str) -> Iterator[int]:
    # A query parameter that nobody knows is a 400 everywhere.
    yield from (400, 401, 403, 406, 429)
    if "path" in {parameter.get("in") for parameter in operation.get("parameters", ())}:
        yield 404
    if "requestBody" in operation:
        yield from (411, 413, 415)
    if method != "GET":
        yield 409
    if method == "POST":
        yield 422


def _other(status: int) -> Answer:
    phrase = HTTPStatus(status).phrase
    error = type(f"Status{status}", (drf.APIException,), {"status_code": status, "default_detail": phrase})
    return Answer(status, f"Status{status}", phrase, (error,))


def error_code(registry: ComponentRegistry) -> dict[str, str]:
    """A reference to the codes of errors."""
    return component(registry, SCHEMA, "AutomateErrorCode", _codes)


def problem_schema(registry: ComponentRegistry) -> dict[str, str]:
    """A reference to the form of every problem."""
    return component(registry, SCHEMA, "AutomateProblem", lambda: _problem(registry))


def _codes() -> dict[str, Any]:
    listed = ", ".join(f"`{code}`" for code in ErrorCode)
    return {**_STRING, "description": f"What went wrong, for programs: {listed}. There may be others."}


def _problem(registry: ComponentRegistry) -> dict[str, Any]:
    fault = component(registry, SCHEMA, "AutomateFieldError", _field_error)
    limit = component(registry, SCHEMA, "AutomateLimit", _limit)
    properties = {
        "type": {**_STRING, "format": "uri", "description": f"`{TYPE_PREFIX}<code>`: an identifier, not an address."},
        "title": {**_STRING, "description": "The kind of problem, in English, always the same for a code."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
        "detail": {**_STRING, "description": "What happened, for people, in the caller's language."},
        "code": error_code(registry),
        "errors": {"type": "array", "items": fault, "description": "Of what was sent: what does not fit."},
        "execution": {**_STRING, "format": "uuid", "description": "Of a failed run: the execution that was stored."},
        "limit": limit,
    }
    description = "A problem (RFC 9457). It may have further members."
    schema = object_of(description, properties, optional=("errors", "execution", "limit"))
    return {**schema, "additionalProperties": {}}


def _field_error() -> dict[str, Any]:
    properties = {
        "field": {**_STRING, "description": "Dotted path from the body's root; empty for the whole."},
        "code": {**_STRING, "description": "What is wrong, for programs, such as `required` or `invalid`."},
        "detail": {**_STRING, "description": "What is wrong, for people, in the caller's language."},
    }
    return object_of("One thing wrong with one field.", properties)


def _limit() -> dict[str, Any]:
    properties = {
        "name": {**_STRING, "description": "Which limit it is; it also stands in the header `RateLimit`."},
        "rate": {**_STRING, "description": "What it admits, such as `100/hour`."},
    }
    return object_of("The limit that was reached.", properties)
