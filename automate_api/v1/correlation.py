"""Correlation ids: one identifier that ties a request to everything it causes.

A caller may send its own in `X-Correlation-ID`; anything but 1 to 128 letters, digits and `._:-` is ignored, since the
id goes into headers, logs and rows, and so is what would be redacted there. The answer carries the id in the same
header.
"""

import re
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from automate_api.ids import uuid7
from automate_api.security.redaction import redact

HEADER = "X-Correlation-ID"

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def assign_correlation_id(request: HttpRequest) -> str:
    """Take the caller's correlation id, or make one, and keep it as `request.correlation_id`."""
    sent = request.headers.get(HEADER, "")
    correlation_id = sent if _ACCEPTABLE.fullmatch(sent) and _may_be_stored(sent) else uuid7().hex
    request.correlation_id = correlation_id  # type: ignore[attr-defined]
    return correlation_id


def _may_be_stored(sent: str) -> bool:
    try:
        return redact(sent) == sent
    except ImproperlyConfigured:
        # A pattern of the host's is none, and what it was to find cannot be told.
        return False


def correlation_id_of(request: Any) -> str:
    """The correlation id of a Django or REST framework request; made now if no view of ours has seen the request."""
    http_request: HttpRequest = getattr(request, "_request", request)
    found: str | None = getattr(http_request, "correlation_id", None)
    return found or assign_correlation_id(http_request)


def return_correlation_id(request: Any, response: HttpResponseBase) -> None:
    """Put the request's correlation id into the answer's headers."""
    response.headers[HEADER] = correlation_id_of(request)
