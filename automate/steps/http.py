"""`http`: a request to somewhere else."""

import json
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate.conf import settings
from automate.steps.base import Step, register_step
from automate.steps.context import StepContext
from automate_api.conf import settings as api_settings
from automate_api.engine.events import plain
from automate_api.exceptions import (
    FieldError,
    InvalidInput,
    UpstreamBrokeOff,
    UpstreamError,
    UpstreamInvalid,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnavailable,
)
from automate_api.llm.call import JSON, error_of
from automate_api.security.outbound import Response, Timeouts, request

#: Seconds for the whole exchange unless said.
TIMEOUT = 30.0

# Those that HTTP's framing, or this step, needs for itself.
_RESERVED = (
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-correlation-id",
)
_UNTOLD = ("set-cookie", "set-cookie2")

# Where the body stands within what is stored of a run: in the output, in the data of an event.
_WITHIN = 3

# What servers do that are no model servers.
_SAID = {
    UpstreamUnavailable: _("The server cannot be reached."),
    UpstreamTimeout: _("The server took too long."),
    UpstreamBrokeOff: _("The server broke off its answer."),
    UpstreamInvalid: _("The server's answer is not HTTP as it should be."),
    UpstreamTooLarge: _("The server's answer is larger than a step's output may be."),
}


@register_step
class HTTPStep(Step):
    """Send one request, and take the answer. The output is `{status, headers, body}`, the headers in lower case.

    Each attempt carries the step's key as `Idempotency-Key`. An answer of 400 and above is an error. Redirects are
    answers like others. An address that an expression made reaches public addresses only, whatever
    `AUTOMATE_API_PRIVATE_HOSTS` admits.
    """

    type = "http"
    label = _("Send an HTTP request")
    schema = {
        "type": "object",
        "properties": {
            "method": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE"], "default": "POST"},
            "url": {
                "type": "string",
                "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
                "maxLength": 2000,
                "description": "http or https.",
            },
            "headers": {
                "type": "object",
                "maxProperties": 50,
                "propertyNames": {"pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"},
                "additionalProperties": {"type": "string", "maxLength": 4000},
                "description": 'By their names; `{"secret": name}` stands for a secret of the workflow.',
            },
            "body": {"description": "Sent as JSON; not sent if absent."},
            "timeout": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 300,
                "default": TIMEOUT,
                "description": "Seconds for the whole exchange.",
            },
        },
        "required": ["url"],
        "additionalProperties": False,
    }
    output_schema = {
        "type": "object",
        "properties": {"status": {"type": "integer"}, "headers": {"type": "object"}, "body": {}},
        "required": ["status", "headers", "body"],
        "additionalProperties": False,
    }
    literal_fields = ("method",)
    secret_fields = ("headers",)

    async def run(self, ctx: StepContext) -> dict[str, Any]:
        headers, data = _headers(ctx), None
        if "body" in ctx.settings:
            headers["Content-Type"] = JSON
            data = json.dumps(ctx.settings["body"], separators=(",", ":")).encode()
        exchange = _exchange(ctx, headers, data)
        try:
            response = await _opened(exchange)
            content = await response.read()
        except UpstreamError as exc:
            raise type(exc)(_SAID.get(type(exc))) from None
        finally:
            exchange.close()
        if response.status >= 400:
            raise _refused(response)
        return {"status": response.status, "headers": _told(response), "body": _body(response, content)}


def _refused(response: Response) -> UpstreamError:
    error = error_of(response)
    error.detail = str(_("The server answered %d.") % response.status)
    return error


def _headers(ctx: StepContext) -> dict[str, str]:
    headers = {"Accept": JSON, "Idempotency-Key": ctx.key, "X-Correlation-ID": ctx.correlation_id}
    for name, value in ctx.settings.get("headers", {}).items():
        if name.lower() in _RESERVED:
            detail = str(_("This header is the step's own."))
            raise InvalidInput([FieldError(f"headers.{name}", "reserved", detail)])
        headers[name] = value
    return headers


def _exchange(ctx: StepContext, headers: dict[str, str], data: bytes | None) -> request:
    seconds = ctx.settings.get("timeout", TIMEOUT)
    return request(
        ctx.settings.get("method", "POST"),
        ctx.settings["url"],
        data=data,
        headers=headers,
        timeouts=Timeouts(min(seconds, api_settings.connect_timeout), seconds, seconds, seconds),
        max_bytes=settings.step_output_max_bytes,
        public_only="url" in ctx.computed,
    )


async def _opened(exchange: request) -> Response:
    while True:
        try:
            return await exchange.open()
        except UpstreamBrokeOff:
            # A connection that was kept, and that the server has ended meanwhile: the next one is new at last.
            if not exchange.reused:
                raise


def _told(response: Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items() if name.lower() not in _UNTOLD}


def _body(response: Response, content: bytes) -> Any:
    """What JSON says; of anything else, and of JSON that cannot be stored, the text."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == JSON or kind.endswith("+json"):
        try:
            return plain(json.loads(content, parse_constant=_refuse), _WITHIN)
        except (ValueError, RecursionError):
            pass
    return content.decode("utf-8", "replace")


def _refuse(name: str) -> Any:
    # JSON has neither NaN nor Infinity, and no database holds them.
    raise ValueError(name)
