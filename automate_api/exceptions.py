"""Everything that can go wrong, once.

Services and the engine raise these; they know no HTTP. `automate_api.v1.errors` alone maps each class to a status. The
codes are public (RFC 9457 extension member `code`) and listed in `docs/reference/errors.md`. Details are our own fixed
sentences: they never repeat an upstream's message, an address, an identifier or a key.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class ErrorCode(StrEnum):
    """Machine-readable codes of every error this package answers with."""

    INVALID_INPUT = "invalid_input"
    UNPROCESSABLE = "unprocessable"
    MALFORMED_REQUEST = "malformed_request"
    NOT_AUTHENTICATED = "not_authenticated"
    AUTHENTICATION_FAILED = "authentication_failed"
    PERMISSION_DENIED = "permission_denied"
    NOT_FOUND = "not_found"
    MODEL_NOT_FOUND = "model_not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    CONFLICT = "conflict"
    IDEMPOTENCY_IN_FLIGHT = "idempotency_in_flight"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    IDEMPOTENCY_ANSWER_GONE = "idempotency_answer_gone"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    PRECONDITION_FAILED = "precondition_failed"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"
    RATE_LIMITED = "rate_limited"
    NOT_CONFIGURED = "not_configured"
    MAINTENANCE = "maintenance"
    INTERNAL_ERROR = "internal_error"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    CACHE_UNAVAILABLE = "cache_unavailable"
    RUN_TIMEOUT = "run_timeout"
    CANCELLED = "cancelled"
    WORKER_LOST = "worker_lost"
    HANDLER_FAILED = "handler_failed"
    EXPRESSION_FAILED = "expression_failed"
    OUTPUT_TOO_LARGE = "output_too_large"
    STEP_FAILED = "step_failed"
    STEP_REJECTED = "step_rejected"
    WORKFLOW_FAILED = "workflow_failed"
    WORKFLOW_TOO_DEEP = "workflow_too_deep"
    OUTBOUND_BLOCKED = "outbound_blocked"
    UPSTREAM_UNAVAILABLE = "upstream_unavailable"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_RATE_LIMITED = "upstream_rate_limited"
    UPSTREAM_FAILED = "upstream_failed"
    UPSTREAM_REJECTED = "upstream_rejected"
    UPSTREAM_AUTH_FAILED = "upstream_auth_failed"
    UPSTREAM_BROKE_OFF = "upstream_broke_off"
    UPSTREAM_INVALID = "upstream_invalid"
    UPSTREAM_TOO_LARGE = "upstream_too_large"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field; `field` is a dotted path from the body's root, `""` for the whole."""

    field: str
    code: str
    detail: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a caller has used of a limit: `name` says which; `window` and `resets_in` are in seconds."""

    name: str
    rate: str
    quota: int
    window: int
    count: int
    resets_in: int

    @property
    def remaining(self) -> int:
        """Calls left in this window."""
        return max(0, self.quota - self.count)

    @property
    def is_over(self) -> bool:
        """Whether the call that was counted last is one too many."""
        return self.count > self.quota


class AutomateError(Exception):
    """Base of all errors of this package.

    `detail` is a sentence for a person and must be safe to show to the caller. `extensions` are further members of the
    problem that is answered (RFC 9457, section 3.2), such as `{"execution": "<id>"}`: set them on the instance.
    `is_worth_another_try`: a job whose attempt has failed so is tried again, as often as it may be; not before the
    seconds of its `retry_after`, where it has one.
    """

    code: ClassVar[str] = ErrorCode.INTERNAL_ERROR
    is_worth_another_try: ClassVar[bool] = False
    default_detail: ClassVar[str | Promise] = _("Something went wrong on the server.")

    def __init__(self, detail: str | Promise | None = None) -> None:
        self.detail = str(self.default_detail if detail is None else detail)
        self.extensions: dict[str, Any] = {}
        super().__init__(self.detail)


class InvalidInput(AutomateError):
    """What the caller sent does not fit; `errors` names each field."""

    code = ErrorCode.INVALID_INPUT
    default_detail = _("The request has fields that do not fit.")

    def __init__(self, errors: Sequence[FieldError] = (), detail: str | Promise | None = None) -> None:
        super().__init__(detail)
        self.errors = list(errors)


class Unprocessable(InvalidInput):
    """What the caller sent can be read and is not enough, or asks for too much; `errors` names each field."""

    code = ErrorCode.UNPROCESSABLE
    default_detail = _("This cannot be done as it is asked for.")


class PermissionDenied(AutomateError):
    """The caller is known but may not do this."""

    code = ErrorCode.PERMISSION_DENIED
    default_detail = _("You may not do this.")


class NotFound(AutomateError):
    """No such object, or none that the caller may know of: the two are never told apart."""

    code = ErrorCode.NOT_FOUND
    default_detail = _("There is no such object.")


class ModelNotFound(NotFound):
    """No such model, or none that the caller may know of, where the OpenAI protocol is spoken."""

    code = ErrorCode.MODEL_NOT_FOUND
    default_detail = _("There is no such model, or none that you may use.")


class Conflict(AutomateError):
    """The object's state, or another object, stands in the way."""

    code = ErrorCode.CONFLICT
    default_detail = _("This conflicts with what is already there.")


class IdempotencyInFlight(Conflict):
    """A request with the same idempotency key has not ended yet."""

    code = ErrorCode.IDEMPOTENCY_IN_FLIGHT
    default_detail = _("A request with this idempotency key is still at work.")


class IdempotencyKeyReused(AutomateError):
    """The idempotency key was sent before, with another request."""

    code = ErrorCode.IDEMPOTENCY_KEY_REUSED
    default_detail = _("This idempotency key was used for another request.")


class IdempotencyAnswerGone(Conflict):
    """The request with this idempotency key was carried out, but its answer could not be kept."""

    code = ErrorCode.IDEMPOTENCY_ANSWER_GONE
    default_detail = _("The request with this idempotency key was carried out. Its answer could not be kept.")


class PayloadTooLarge(AutomateError):
    """A body or a file is larger than this server takes."""

    code = ErrorCode.PAYLOAD_TOO_LARGE
    default_detail = _("This is more than the server takes.")


class RateLimited(AutomateError):
    """A limit was reached.

    `retry_after` is the number of whole seconds until the window ends; `usage` what was counted (`Usage`), None
    where nothing could be.
    """

    code = ErrorCode.RATE_LIMITED
    default_detail = _("Too many requests.")

    def __init__(
        self, detail: str | Promise | None = None, *, retry_after: int | None = None, usage: Usage | None = None
    ) -> None:
        super().__init__(detail)
        self.usage = usage
        self.retry_after = usage.resets_in if usage is not None else retry_after
        if usage is not None:
            self.extensions["limit"] = {"name": usage.name, "rate": usage.rate}


class NotConfigured(AutomateError):
    """The host has not set up what this needs."""

    code = ErrorCode.NOT_CONFIGURED
    default_detail = _("This is not set up on the server.")


class UnderMaintenance(AutomateError):
    """The host is being worked on; `retry_after` is in seconds."""

    code = ErrorCode.MAINTENANCE
    default_detail = _("This is under maintenance. Come back later.")

    def __init__(self, detail: str | Promise | None = None, *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class InternalError(AutomateError):
    """A fault of ours or of a capability; the log has the traceback under the correlation id."""


class StorageUnavailable(AutomateError):
    """The run ended but could not be stored, so its result is withheld."""

    code = ErrorCode.STORAGE_UNAVAILABLE
    default_detail = _("The run could not be stored.")


class CacheUnavailable(AutomateError):
    """The cache that processes share does not answer, so a change could not be announced and was not made."""

    code = ErrorCode.CACHE_UNAVAILABLE
    default_detail = _("This cannot be changed right now: the server's cache does not answer.")


class RunTimeout(AutomateError):
    """The run as a whole took longer than `AUTOMATE_API_RUN_TIMEOUT`."""

    code = ErrorCode.RUN_TIMEOUT
    default_detail = _("The run took too long.")


class RunCancelled(AutomateError):
    """The run was stopped before it ended."""

    code = ErrorCode.CANCELLED
    default_detail = _("The run was cancelled.")


class WorkerLost(AutomateError):
    """The process that worked on the run has died, as often as it may."""

    code = ErrorCode.WORKER_LOST
    default_detail = _("The process that worked on this has died.")


class HandlerFailed(AutomateError):
    """A handler of events has raised; which one, for which event, the job's log says."""

    code = ErrorCode.HANDLER_FAILED
    is_worth_another_try = True
    default_detail = _("A handler of events has failed.")


class ExpressionFailed(AutomateError):
    """An expression of a workflow has no value in this run."""

    code = ErrorCode.EXPRESSION_FAILED
    default_detail = _("An expression has no value here.")


class OutputTooLarge(AutomateError):
    """A step of a workflow, or a workflow, gave more than is stored of it."""

    code = ErrorCode.OUTPUT_TOO_LARGE
    default_detail = _("The output is larger than may be stored.")


class StepFailed(AutomateError):
    """A step of a workflow could not do its work. A host's own step raises it with a `detail` that says why."""

    code = ErrorCode.STEP_FAILED
    default_detail = _("The step has failed.")


class StepRejected(AutomateError):
    """Somebody has rejected what a step asked for."""

    code = ErrorCode.STEP_REJECTED
    default_detail = _("The step was rejected.")


class WorkflowFailed(AutomateError):
    """The run of a workflow that an endpoint has waited for has failed, or was cancelled."""

    code = ErrorCode.WORKFLOW_FAILED
    default_detail = _("The workflow has failed.")


class WorkflowTooDeep(AutomateError):
    """More runs of workflows than `AUTOMATE_MAX_DEPTH` led, each to the next, to a run: mostly to itself."""

    code = ErrorCode.WORKFLOW_TOO_DEEP
    default_detail = _("Too many runs led to this one, each to the next. Does a workflow change what starts it?")


class OutboundBlocked(AutomateError):
    """The outbound guard refused an address before anything was sent."""

    code = ErrorCode.OUTBOUND_BLOCKED
    default_detail = _("The address is not one this server may call.")


class UpstreamError(AutomateError):
    """A model server failed us."""

    code = ErrorCode.UPSTREAM_FAILED
    default_detail = _("The model server answered with an error.")


class UpstreamUnavailable(UpstreamError):
    """No connection: refused, unreachable, or the name does not resolve."""

    code = ErrorCode.UPSTREAM_UNAVAILABLE
    is_worth_another_try = True
    default_detail = _("The model server cannot be reached.")


class UpstreamTimeout(UpstreamError):
    """Nothing came in time: connecting, the first byte, between two chunks, or in total."""

    code = ErrorCode.UPSTREAM_TIMEOUT
    is_worth_another_try = True
    default_detail = _("The model server took too long.")


class UpstreamRateLimited(UpstreamError):
    """The model server answered 429; `retry_after` is what it asked for in seconds, if it did."""

    code = ErrorCode.UPSTREAM_RATE_LIMITED
    is_worth_another_try = True
    default_detail = _("The model server is limiting requests.")

    def __init__(self, detail: str | Promise | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class UpstreamFailed(UpstreamError):
    """The model server answered 5xx, or sent an error inside its stream."""

    is_worth_another_try = True


class UpstreamRejected(UpstreamError):
    """The model server answered 4xx: it did not accept the model, a parameter, or the size of the request."""

    code = ErrorCode.UPSTREAM_REJECTED
    default_detail = _("The model server did not accept the request.")


class UpstreamAuthFailed(UpstreamError):
    """The model server answered 401 or 403: the provider's key is missing, wrong, or has no right."""

    code = ErrorCode.UPSTREAM_AUTH_FAILED
    default_detail = _("The model server did not accept the provider's key.")


class UpstreamBrokeOff(UpstreamError):
    """The answer ended before it was complete."""

    code = ErrorCode.UPSTREAM_BROKE_OFF
    is_worth_another_try = True
    default_detail = _("The model server broke off its answer.")


class UpstreamInvalid(UpstreamError):
    """The answer is not what the protocol says: bad JSON, a wrong shape, a redirect, an encoding not asked for."""

    code = ErrorCode.UPSTREAM_INVALID
    default_detail = _("The model server's answer could not be understood.")


class UpstreamTooLarge(UpstreamError):
    """The answer passed `AUTOMATE_API_MAX_RESPONSE_BYTES`, or a file `AUTOMATE_API_ARTIFACT_MAX_BYTES`."""

    code = ErrorCode.UPSTREAM_TOO_LARGE
    default_detail = _("The model server's answer is too large.")
