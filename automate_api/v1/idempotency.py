"""`Idempotency-Key`: a POST that is sent again is answered again, and not carried out again.

After draft-ietf-httpapi-idempotency-key-header-07, but that the key need not be quoted. A key belongs to a caller: a
user in a tenant. What makes two requests the same is their method, path, query and body.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.engine.events import EventType, RunEvent
from automate_api.engine.transports import EventStream
from automate_api.exceptions import FieldError, InvalidInput
from automate_api.services.idempotency import Claim, claim_key
from automate_api.v1.errors import status_of_code

#: The longest answer that is kept, in bytes.
MAX_ANSWER = 1_000_000

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"

_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
# Those that are part of the answer; others tell of one request, or are for one caller's browser.
_KEPT_HEADERS = (
    "Content-Type",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Location",
    "Cache-Control",
    "ETag",
    "Preference-Applied",
    "Retry-After",
)


def claim_request(request: Request, tenant_id: str | None) -> Claim | HttpResponse | None:
    """Claim the request's idempotency key, or the answer it had before; None where nobody is signed in to own it.

    Raises:
        InvalidInput: the key is none (400).
        IdempotencyKeyReused: it was sent with another request (422).
        IdempotencyInFlight, IdempotencyAnswerGone: as they say (409).
    """
    key = request.headers.get(HEADER, "")
    if not getattr(request.user, "is_authenticated", False):
        return None
    if not _KEY.fullmatch(key):
        detail = str(_("An idempotency key has 1 to 255 printable ASCII characters."))
        raise InvalidInput([FieldError(HEADER, "invalid", detail)])
    outcome = claim_key(key, tenant_id=tenant_id or "", user=request.user, fingerprint=fingerprint(request))
    return outcome if isinstance(outcome, Claim) else _Replayed(outcome)


def fingerprint(request: Request) -> str:
    """The SHA-256 of what makes a request the same as another, in hexadecimal digits.

    JSON is compared by value and uploads by content: neither spaces nor the boundaries of a multipart body count.
    """
    digest = hashlib.sha256()
    _feed(digest, [request.method, request.get_full_path(), request.data])
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    """Hash `value` so that no two have the same bytes."""
    if isinstance(value, UploadedFile):
        _feed(digest, ["file", value.name, value.content_type, value.size])
        for chunk in value.chunks():
            digest.update(chunk)
        value.seek(0)
    elif isinstance(value, MultiValueDict):
        _feed(digest, dict(value.lists()))
    elif isinstance(value, Mapping):
        digest.update(b"{%d:" % len(value))
        for name in sorted(value, key=str):
            _feed(digest, str(name))
            _feed(digest, value[name])
    elif isinstance(value, list | tuple):
        digest.update(b"[%d:" % len(value))
        for item in value:
            _feed(digest, item)
    else:
        scalar = json.dumps(value, default=str).encode()
        digest.update(b"%d:" % len(scalar) + scalar)


def settle(claim: Claim, response: HttpResponseBase) -> None:
    """Keep what is answered to the claimed request; of a stream its terminal event, once it is known.

    The answer is rendered at once: under ASGI Django drops it unrendered where the client has left meanwhile, and the
    work is done all the same.
    """
    if isinstance(response, EventStream):
        # One that the server drops before its first step tells nothing, and its claim must not be renewed for ever.
        claim.rest()
        response.on_begin(claim.resume)
        response.on_end(partial(_settle_stream, claim, response.status_code, _kept_headers(response)))
    elif not isinstance(response, HttpResponse):
        # Streams of others are not read here.
        claim.complete(None)
    else:
        if isinstance(response, SimpleTemplateResponse):
            response.render()
        _settle(claim, response)


def _settle(claim: Claim, response: HttpResponse) -> None:
    if _is_worth_another_try(response.status_code):
        claim.release()
    else:
        claim.complete(_packed(response.status_code, _kept_headers(response), response.content))


def _settle_stream(claim: Claim, status: int, headers: Mapping[str, str], event: RunEvent | None, frame: bytes) -> None:
    is_error = event is not None and event.type is EventType.ERROR
    if event is None or (is_error and _is_worth_another_try(status_of_code(event.data["code"]))):
        claim.release()
    else:
        claim.complete(_packed(status, headers, frame))


def _is_worth_another_try(status: int) -> bool:
    # 424: what the request depends on was not set up (RFC 4918, section 11.4).
    return status >= 500 or status in {424, 429}


def _kept_headers(response: HttpResponseBase) -> dict[str, str]:
    return {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}


def _packed(status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    if len(body) > MAX_ANSWER:
        return None
    # Latin-1 has a character for each byte.
    return json.dumps([status, headers, body.decode("latin-1")], ensure_ascii=False)


class _Replayed(Response):
    """The stored answer, whatever renderers the view has; a host's `finalize_response()` may look at its `data`."""

    def __init__(self, answer: str) -> None:
        status, self._kept, body = json.loads(answer)
        self._body: bytes = body.encode("latin-1")
        super().__init__(_data_in(self._kept, self._body), status=status, headers={**self._kept, REPLAYED: "true"})

    @property
    def rendered_content(self) -> Any:
        """The bytes of the first answer, under their own type or none."""
        self.headers["Content-Type"] = self._kept.get("Content-Type", "")
        if "Content-Type" not in self._kept:
            del self.headers["Content-Type"]
        return self._body


def _data_in(headers: Mapping[str, str], body: bytes) -> Any:
    if "json" not in headers.get("Content-Type", ""):
        return None
    try:
        return json.loads(body)
    except ValueError:
        # Such as where it is encoded.
        return None
