"""JSON bodies as RFC 8259 has them and the database can store them."""

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any, NoReturn

from django.http.request import RawPostDataException
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from automate_api.conf import settings
from automate_api.exceptions import PayloadTooLarge
from automate_api.v1.errors import LengthRequired

# Deep enough for any JSON Schema or tool definition, far from what recursive code can take.
MAX_DEPTH = 100

#: What a number with a point or an exponent may be, but for zero. PostgreSQL writes every digit out: six bytes of
#: others would be three hundred when they are read again.
SMALLEST, TOO_LARGE = 1e-100, 1e101

_NUL = "\x00"
# Only what contains one of these, or more brackets than may be nested, needs a closer look.
_SUSPICIOUS = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class StrictJSONParser(JSONParser):
    """UTF-8 JSON without NaN, infinity, NUL characters, lone surrogates or nesting deeper than `MAX_DEPTH`.

    The exponent of a number is from -100 to 100.

    Bodies of `AUTOMATE_API_MAX_REQUEST_BYTES` and more are refused.
    """

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        """The body's value.

        Raises:
            ParseError: it is not such JSON (400).
            PayloadTooLarge: it is too long (413).
            UnsupportedMediaType: it declares another charset than UTF-8 (415).
        """
        _require_utf8(parser_context or {}, media_type or "")
        limit = settings.max_request_bytes
        body: bytes = stream.read(limit)
        if len(body) >= limit:
            raise PayloadTooLarge
        return read_json(body)


def read_json(body: bytes) -> Any:
    """The value of a JSON text as `StrictJSONParser` has it.

    Raises:
        ParseError: it is none.
    """
    value = _decoded(body)
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _require_shallow(value)
    if _SUSPICIOUS.search(body):
        _require_storable(value)
    return value


def _require_utf8(context: Mapping[str, Any], media_type: str) -> None:
    request = context.get("request")
    # Django's `encoding` is silent of a charset that it does not know.
    charset = parse_header_parameters(media_type)[1].get("charset") or getattr(request, "encoding", None)
    if charset and charset.lower().replace("_", "-") not in {"utf-8", "utf8", "us-ascii"}:
        raise UnsupportedMediaType(media_type)


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_bounded)
    except UnicodeDecodeError as exc:
        raise ParseError(_("The body is not UTF-8.")) from exc
    except json.JSONDecodeError as exc:
        position = {"line": exc.lineno, "column": exc.colno}
        raise ParseError(_("The body is not JSON (line %(line)d, column %(column)d).") % position) from exc
    except RecursionError as exc:
        raise _too_deep() from exc
    except ValueError as exc:
        raise ParseError(_("The body has a number that JSON cannot hold.")) from exc


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _bounded(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    if number and not SMALLEST <= abs(number) < TOO_LARGE:
        raise ParseError(_("The body has a number with an exponent of more than 100, or of less than -100."))
    return number


def _require_shallow(value: Any) -> None:
    """Walk without recursion, level by level, over what has a level below."""
    level: list[Any] = [[value]]
    depth = 0
    while level := [
        inner
        for item in level
        for inner in (item.values() if type(item) is dict else item)
        if type(inner) is dict or type(inner) is list
    ]:
        depth += 1
        if depth > MAX_DEPTH:
            raise _too_deep()


def _require_storable(value: Any) -> None:
    """Walk without recursion: NUL characters and surrogates without their half."""
    level = [value]
    while level:
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                require_text(item)
            elif isinstance(item, dict | list):
                below.extend(item)
                below.extend(item.values() if isinstance(item, dict) else ())
        level = below


def require_text(text: str) -> None:
    """Raise ParseError where the database cannot store `text`."""
    if _NUL in text:
        raise ParseError(_("The body has a NUL character."))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise ParseError(_("The body has a surrogate without its other half.")) from exc


def _too_deep() -> ParseError:
    return ParseError(_("The body is nested too deeply."))


def require_readable_body(request: Request) -> None:
    """Refuse a body that is too long or comes without a length, before anything is read, and JSON that is none.

    Raises:
        PayloadTooLarge: JSON of `AUTOMATE_API_MAX_REQUEST_BYTES` and more (413).
        LengthRequired: it is sent in chunks of unknown number, and would be taken for an empty one (411).
        ParseError, UnsupportedMediaType: it is JSON, and not as `StrictJSONParser` has it (400, 415).
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdecimal():
        if int(length) >= settings.max_request_bytes and "json" in (request.content_type or ""):
            raise PayloadTooLarge
    elif request.method not in SAFE_METHODS and (_is_streamed(request) or _has_body(request)):
        raise LengthRequired
    if request.method not in SAFE_METHODS and "json" in (request.content_type or ""):
        _read_json(request)


def _read_json(request: Request) -> None:
    """Read a JSON body also for a handler that asks for none: one that is malformed is refused all the same."""
    with suppress(RawPostDataException):
        # A handler that checks a signature still finds the bytes.
        request.body  # noqa: B018
    request.data  # noqa: B018


def _is_streamed(request: Request) -> bool:
    # A form with files is never empty, and too long to look.
    return "Transfer-Encoding" in request.headers or "multipart" in (request.content_type or "")


def _has_body(request: Request) -> bool:
    try:
        return bool(request.body)
    except RawPostDataException:
        # Somebody has read it before; it was there.
        return True
