"""Every error as a problem (RFC 9457, `application/problem+json`).

Members: `type`, `title`, `status`, `detail`, `code`, for what a caller sent also `errors: [{field, code, detail}]`, and
the `extensions` of an `AutomateError`. `type` is `urn:automate:error:<code>`: an identifier, nothing is served there.
`title` is English and never changes for a code; `detail` is translated. This module alone knows which error has which
status.
"""

import json
import logging
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, ClassVar

from django.core import exceptions as django
from django.http import Http404, HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from automate_api import exceptions as ours
from automate_api.exceptions import AutomateError, ErrorCode, FieldError, Usage
from automate_api.security.redaction import redact_exception
from automate_api.v1.correlation import correlation_id_of
from automate_api.v1.limits import LimitReached, limit_headers

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:automate:error:"

# Seconds to name in `Retry-After` where nobody knows better.
_RETRY_AFTER = 10

STATUS: Mapping[type[AutomateError], int] = {
    AutomateError: 500,
    ours.InvalidInput: 400,
    ours.Unprocessable: 422,
    ours.PermissionDenied: 403,
    ours.NotFound: 404,
    ours.Conflict: 409,
    ours.IdempotencyKeyReused: 422,
    ours.PayloadTooLarge: 413,
    ours.RateLimited: 429,
    ours.NotConfigured: 503,
    ours.UnderMaintenance: 503,
    ours.StorageUnavailable: 503,
    ours.CacheUnavailable: 503,
    ours.RunTimeout: 504,
    ours.RunCancelled: 409,
    ours.WorkflowFailed: 502,
    ours.OutboundBlocked: 502,
    ours.UpstreamError: 502,
    ours.UpstreamUnavailable: 503,
    ours.UpstreamTimeout: 504,
    ours.UpstreamRateLimited: 429,
}

#: Where a body is passed on as the caller has written it, the class of the model server's status is kept: it is the
#: caller's to change what was refused, and in vain to send it again. 401 and 403 would be taken for the caller's own.
PASSED_ON: Mapping[type[AutomateError], int] = {ours.UpstreamRejected: 400, ours.UpstreamAuthFailed: 424}

# REST framework's codes, and Django's, under our names; any other code of a host's exception stays as it is.
_CODES = {
    "error": ErrorCode.INTERNAL_ERROR,
    "invalid": ErrorCode.INVALID_INPUT,
    "parse_error": ErrorCode.MALFORMED_REQUEST,
    "throttled": ErrorCode.RATE_LIMITED,
}

# Their usual messages repeat the id that was sent, and so would tell a foreign object from an absent one.
_ABSENT = frozenset({"does_not_exist", "invalid_pk_value"})

_MALFORMED = _("The request could not be read.")

_SENSITIVE_NAME = re.compile(r"auth|cookie|key|pass|secret|signature|token", re.IGNORECASE)


class LengthRequired(drf.APIException):
    """The body comes without a length, which this server's interface cannot read (RFC 9110, section 15.5.12)."""

    status_code = 411
    default_detail = _("The request needs a Content-Length.")
    default_code = str(ErrorCode.MALFORMED_REQUEST)


class PreconditionFailed(drf.APIException):
    """The object is not as the request wants it to be (RFC 9110, section 15.5.13)."""

    status_code = 412
    default_detail = _("It is not as the request's conditions want it to be.")
    default_code = str(ErrorCode.PRECONDITION_FAILED)


class RangeNotSatisfiable(drf.APIException):
    """The content has no such part (RFC 9110, section 15.5.17)."""

    status_code = 416
    default_detail = _("It has no such part.")
    default_code = str(ErrorCode.RANGE_NOT_SATISFIABLE)


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem to answer with. `retry_after` is in seconds."""

    status: int
    code: str
    detail: str
    errors: list[FieldError] = field(default_factory=list)
    extensions: Mapping[str, Any] = field(default_factory=dict)
    retry_after: float | None = None
    usage: Usage | None = None

    def as_dict(self) -> dict[str, Any]:
        """The members of the JSON object."""
        title = self.code.replace("_", " ").capitalize() if self.code in _OWN_CODES else HTTPStatus(self.status).phrase
        members = {
            "type": f"{TYPE_PREFIX}{self.code}",
            "title": title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            members["errors"] = [error.as_dict() for error in self.errors]
        return {**self.extensions, **members}


_OWN_CODES = frozenset(str(code) for code in ErrorCode)


class ProblemResponse(Response):
    """The answer for a problem: the same JSON whatever renderers the view has and whatever the caller accepts.

    A protocol with errors of its own has a subclass, with their media type and `data_of()`.
    """

    form: ClassVar[str] = MEDIA_TYPE

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.data_of(problem), status=problem.status, headers=dict(headers or {}))
        if problem.status in {429, 503}:
            seconds = _RETRY_AFTER if problem.retry_after is None else problem.retry_after
            self.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
        if problem.usage is not None:
            for name, value in limit_headers([problem.usage]).items():
                self.headers[name] = value

    def data_of(self, problem: Problem) -> dict[str, Any]:
        """The members of the answer."""
        return problem.as_dict()

    @property
    def rendered_content(self) -> Any:
        """The problem as JSON."""
        self.headers["Content-Type"] = self.form
        return json.dumps(self.data, separators=(",", ":")).encode()


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> ProblemResponse:
    """Answer `exc` with a problem and roll the request's transaction back. Nothing is raised again.

    What nobody expected is a 500 without any particulars; its traceback is logged, redacted, under the correlation id.
    """
    return answered(exc, context)


def answered(
    exc: Exception,
    context: Mapping[str, Any],
    *,
    form: type[ProblemResponse] = ProblemResponse,
    statuses: Mapping[type[AutomateError], int] | None = None,
) -> ProblemResponse:
    """The same in another `form`, and with other `statuses` for some classes of this package's errors."""
    # A base view knows which transactions are its own; REST framework takes all that are open.
    roll_back: Callable[[], None] = getattr(context.get("view"), "_roll_back", set_rollback)
    roll_back()
    problem = problem_for(exc)
    if problem is None:
        _log(exc, context.get("request"))
        problem = problem_of(ours.InternalError())
    if statuses and (status := statuses.get(type(exc))):  # type: ignore[arg-type]  # of another class it is None
        problem = replace(problem, status=status)
    challenge = getattr(exc, "auth_header", None)
    return form(problem, {"WWW-Authenticate": challenge} if challenge else None)


def problem_for(exc: BaseException) -> Problem | None:
    """The problem that `exc` is, None if it is a fault of the server that nobody foresaw."""
    if isinstance(exc, AutomateError):
        return problem_of(exc)
    if isinstance(exc, drf.APIException):
        return _rest_framework_problem(exc)
    return _django_problem(exc)


def status_of(error: AutomateError | type[AutomateError]) -> int:
    """The HTTP status of an error: that of its nearest class in `STATUS`."""
    cls = error if isinstance(error, type) else type(error)
    return next(STATUS[base] for base in cls.__mro__ if base in STATUS)


def status_of_code(code: str) -> int:
    """The HTTP status of this package's error with `code`; 500 for any other code."""
    classes = (value for value in vars(ours).values() if isinstance(value, type) and issubclass(value, AutomateError))
    return next((status_of(cls) for cls in classes if cls.code == code), 500)


def problem_of(exc: AutomateError) -> Problem:
    """The problem for one of this package's own errors."""
    return Problem(
        status=status_of(exc),
        code=str(exc.code),
        detail=exc.detail,
        errors=getattr(exc, "errors", []),
        extensions=exc.extensions,
        retry_after=getattr(exc, "retry_after", None),
        usage=getattr(exc, "usage", None),
    )


def _rest_framework_problem(exc: drf.APIException) -> Problem:
    if isinstance(exc, LimitReached):
        return problem_of(exc.error)
    if isinstance(exc.detail, list | dict):
        invalid = problem_of(ours.InvalidInput(list(field_errors(exc.detail))))
        return Problem(exc.status_code, invalid.code, invalid.detail, invalid.errors)
    if isinstance(exc, drf.NotFound) and exc.detail == drf.NotFound.default_detail:
        return problem_of(ours.NotFound())
    own: str = exc.detail.code or "error"
    code = str(_CODES.get(own, own))
    return Problem(exc.status_code, code, str(exc.detail), retry_after=getattr(exc, "wait", None))


def _django_problem(exc: BaseException) -> Problem | None:
    match exc:
        case Http404():
            return problem_of(ours.NotFound())
        case django.PermissionDenied():
            return problem_of(ours.PermissionDenied(str(exc) or None))
        case django.ValidationError():
            return problem_of(ours.InvalidInput(list(field_errors(drf_detail(exc)))))
        case django.RequestDataTooBig() | django.TooManyFieldsSent() | django.TooManyFilesSent():
            return problem_of(ours.PayloadTooLarge())
        case django.BadRequest() | django.SuspiciousOperation() | MultiPartParserError() | UnreadablePostError():
            return Problem(400, ErrorCode.MALFORMED_REQUEST, str(_MALFORMED))
    return None


def field_errors(detail: Any, path: str = "") -> Iterator[FieldError]:
    """REST framework's nested error detail as a flat list with dotted paths from the body's root."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            whole = name in {api_settings.NON_FIELD_ERRORS_KEY, django.NON_FIELD_ERRORS}
            yield from field_errors(inner, path if whole else f"{path}.{name}".lstrip("."))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, list | dict)
            yield from field_errors(inner, f"{path}.{index}".lstrip(".") if nested else path)
    else:
        code = getattr(detail, "code", "invalid")
        text = str(ours.NotFound.default_detail) if code in _ABSENT else str(detail)
        yield FieldError(path, code, text)


def drf_detail(exc: django.ValidationError) -> Any:
    """The detail REST framework gives to one of Django's validation errors."""
    if hasattr(exc, "error_dict"):
        return {name: [_detail(error) for error in errors] for name, errors in exc.error_dict.items()}
    return [_detail(error) for error in exc.error_list]


def _detail(error: django.ValidationError) -> drf.ErrorDetail:
    return drf.ErrorDetail(" ".join(error.messages), error.code or "invalid")


def _log(exc: Exception, request: Any) -> None:
    correlation_id = correlation_id_of(request) if request is not None else ""
    try:
        traceback = redact_exception(exc, _secrets_of(request))
    except Exception:  # noqa: BLE001 - a broken redaction must neither leak nor hide the failure
        traceback = f"{type(exc).__name__} (its traceback is withheld: AUTOMATE_API_REDACT_PATTERNS cannot be applied)"
    extra = {"correlation_id": correlation_id}
    logger.error("A request failed (correlation id %s): %s", correlation_id, traceback, extra=extra)


def _secrets_of(request: Any) -> list[str]:
    """What the caller sent under a name that sounds secret: an exception's message may quote it."""
    http_request: HttpRequest | None = getattr(request, "_request", None)
    if http_request is None:
        return []
    sent = [value for name, value in http_request.headers.items() if _SENSITIVE_NAME.search(name)]
    sent += [value.split(" ", 1)[1] for value in sent if " " in value]
    sent += http_request.COOKIES.values()
    data = getattr(request, "_full_data", None)
    if isinstance(data, Mapping):
        sent += [v for name, v in data.items() if isinstance(v, str) and _SENSITIVE_NAME.search(str(name))]
    return sent
