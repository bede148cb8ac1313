"""A file over HTTP, as RFC 9110 has it: whole, in part (section 14), or not again (section 13)."""

import re
import weakref
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Any

from django.http import HttpResponse, HttpResponseBase, HttpResponseNotModified, StreamingHttpResponse
from django.utils.encoding import iri_to_uri
from django.utils.http import http_date, parse_http_date_safe
from rest_framework import exceptions as drf
from rest_framework.request import Request

from automate_api.engine.storage import in_file_thread, release_connections, release_request_thread
from automate_api.exceptions import StorageUnavailable
from automate_api.models import Artifact
from automate_api.services.artifacts import open_artifact
from automate_api.services.files import attachment
from automate_api.v1.errors import PreconditionFailed, ProblemResponse, RangeNotSatisfiable, problem_for

#: Bytes that are read at once.
CHUNK = 256 * 1024

_TAG = re.compile(r'(W/)?("[^"]*")')
_RANGE = re.compile(r"([0-9]*)-([0-9]*)")
# More digits than any file has.
_DIGITS = 18


def answer_download(
    request: Request, artifact: Artifact, *, is_async: bool, redirect_url: str | None = None
) -> HttpResponseBase:
    """The file of an artifact, as the request wants it.

    Args:
        request: GET or HEAD; its conditions, and of GET its range, count.
        artifact: whose file it is. A file never changes, so that its hash and the second it was made in tell it apart.
        is_async: whether the server is an ASGI server.
        redirect_url: where the file is to be had instead: the server there looks at conditions and ranges.

    Raises:
        StorageUnavailable: the storage does not have the file, or not all of it.
    """
    if redirect_url is not None:
        return _redirected(redirect_url)
    version = _Version.of(artifact)
    status = version.unmet_condition(request)
    if status == HTTPStatus.NOT_MODIFIED:
        return _NotModified(headers=version.headers)
    if status is not None:
        return _problem(PreconditionFailed(), version.headers)
    try:
        part = _part(request, version, artifact.size)
    except RangeNotSatisfiable as exc:
        return _problem(exc, {**version.headers, "Content-Range": f"bytes */{artifact.size}"})
    return _content(request, artifact, version, part, is_async=is_async)


def _redirected(url: str) -> HttpResponse:
    # Django's own class refuses long addresses, and signed ones are long.
    response = HttpResponse(status=HTTPStatus.FOUND, headers={"Location": iri_to_uri(url), "Cache-Control": "no-store"})
    del response["Content-Type"]
    return response


class _NotModified(HttpResponseNotModified):
    """A 304 that says nothing of a length.

    Django's middleware would make it 0, which is not the file's (RFC 9110, section 8.6); and for the file's own,
    uvicorn waits for so many bytes, and closes the connection when none come.
    """

    def has_header(self, header: str) -> bool:
        """Whether the header is there; of the length yes, so that nobody adds it."""
        return header.lower() == "content-length" or super().has_header(header)

    __contains__ = has_header


def _problem(exc: drf.APIException, headers: dict[str, str]) -> HttpResponse:
    problem = problem_for(exc)
    return HttpResponse(status=exc.status_code) if problem is None else ProblemResponse(problem, headers)


@dataclass(frozen=True, slots=True)
class _Version:
    """What tells one version of a file from another. `modified` is in seconds since 1970."""

    tag: str
    modified: int

    @classmethod
    def of(cls, artifact: Artifact) -> "_Version":
        return cls(f'"{artifact.sha256}"', int(artifact.created_at.timestamp()))

    @property
    def headers(self) -> dict[str, str]:
        """Those that every answer has, one without content too."""
        return {
            "ETag": self.tag,
            "Last-Modified": http_date(self.modified),
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
        }

    def unmet_condition(self, request: Request) -> HTTPStatus | None:
        """What to answer instead of the content, in the order of section 13.2.2: 412, 304, or nothing."""
        headers = request.headers
        if "If-Match" in headers:
            if not self._is_among(headers["If-Match"], is_weak=False):
                return HTTPStatus.PRECONDITION_FAILED
        elif (since := _date(headers.get("If-Unmodified-Since"))) is not None and self.modified > since:
            return HTTPStatus.PRECONDITION_FAILED
        if "If-None-Match" in headers:
            if self._is_among(headers["If-None-Match"], is_weak=True):
                return HTTPStatus.NOT_MODIFIED
        elif (since := _date(headers.get("If-Modified-Since"))) is not None and self.modified <= since:
            return HTTPStatus.NOT_MODIFIED
        return None

    def is_meant_by(self, validator: str | None) -> bool:
        """Whether `If-Range` names this version (section 13.1.5), or is absent."""
        return validator is None or validator.strip() == self.tag or _date(validator) == self.modified

    def _is_among(self, tags: str, *, is_weak: bool) -> bool:
        if tags.strip() == "*":
            return True
        return any(tag == self.tag and (is_weak or not weak) for weak, tag in _TAG.findall(tags))


def _date(text: str | None) -> int | None:
    return None if text is None else parse_http_date_safe(text)


@dataclass(frozen=True, slots=True)
class _Part:
    """Bytes of a file: from where, and how many."""

    first: int
    length: int


def _part(request: Request, version: _Version, size: int) -> _Part | None:
    """The part that the request wants; None: the whole."""
    text = request.headers.get("Range")
    if text is None or request.method != "GET" or not version.is_meant_by(request.headers.get("If-Range")):
        return None
    return part_of(text, size)


def part_of(text: str, size: int) -> _Part | None:
    """The one part that the value of `Range` names (section 14.1.2); None: it is no such value, or names several.

    Raises:
        RangeNotSatisfiable: `size` bytes have no such part.
    """
    unit, _sign, ranges = text.partition("=")
    named = [one.strip(" \t") for one in ranges.split(",") if one.strip(" \t")]
    match = _RANGE.fullmatch(named[0]) if len(named) == 1 and unit.lower() == "bytes" else None
    if match is None or match[0] == "-":
        return None
    if not match[1]:
        return _suffix(_number(match[2]), size)
    first, last = _number(match[1]), _number(match[2]) if match[2] else size
    if last < first and match[2]:
        return None
    if first >= size:
        raise RangeNotSatisfiable
    return _Part(first, min(last, size - 1) - first + 1)


def _suffix(length: int, size: int) -> _Part | None:
    if not length:
        raise RangeNotSatisfiable
    # Of nothing the last bytes are all of it, for which `Content-Range` has no words.
    return _Part(max(0, size - length), min(length, size)) if size else None


def _number(digits: str) -> int:
    """The number, or one that is larger than any file."""
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _DIGITS else 10**_DIGITS


def _content(
    request: Request, artifact: Artifact, version: _Version, part: _Part | None, *, is_async: bool
) -> HttpResponseBase:
    wanted = part or _Part(0, artifact.size)
    headers = {**version.headers, **_about(artifact), "Content-Length": str(wanted.length)}
    if part is not None:
        headers["Content-Range"] = f"bytes {part.first}-{part.first + part.length - 1}/{artifact.size}"
    status = HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT
    file = open_artifact(artifact)
    if request.method == "HEAD":
        file.close()
        return HttpResponse(headers=headers)
    return Download(file, first=wanted.first, length=wanted.length, is_async=is_async, status=status, headers=headers)


def _about(artifact: Artifact) -> dict[str, str]:
    """What keeps a browser from taking a stranger's file for a page of this site."""
    return {
        "Content-Type": artifact.content_type,
        "Content-Disposition": attachment(artifact.name),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        # GZipMiddleware would hold chunks back, and parts would be those of another content; it passes over what is
        # encoded already.
        "Content-Encoding": "identity",
    }


class Download(StreamingHttpResponse):
    """Bytes of an open file, piece by piece. No database connection is held meanwhile; `close()` closes the file.

    Args:
        file: open for reading in binary, and seekable.
        first: where to begin.
        length: how many bytes to send.
        is_async: whether the server is an ASGI server.
    """

    def __init__(self, file: IO[bytes], *, first: int, length: int, is_async: bool, **kwargs: Any) -> None:
        # Under ASGI Django drops a response unclosed when the client leaves while the view runs.
        self._close_file = weakref.finalize(self, file.close)
        pieces = _pieces_async if is_async else _pieces
        super().__init__(pieces(file, first, length), **kwargs)
        release_connections()

    def close(self) -> None:
        """Close the file. Servers call this at the end, and when the client has left."""
        self._close_file()
        super().close()


def _pieces(file: IO[bytes], first: int, length: int) -> Iterator[bytes]:
    # A middleware may have opened one since.
    release_connections()
    file.seek(first)
    while length:
        piece = _read(file, length)
        length -= len(piece)
        yield piece


async def _pieces_async(file: IO[bytes], first: int, length: int) -> AsyncIterator[bytes]:
    await release_request_thread()
    await in_file_thread(file.seek, first)
    while length:
        piece = await in_file_thread(_read, file, length)
        length -= len(piece)
        yield piece


def _read(file: IO[bytes], most: int) -> bytes:
    """The next bytes, never none. The status has been sent: to break off is all that tells the client of a failure."""
    piece = file.read(min(CHUNK, most))
    if not piece:
        raise StorageUnavailable
    return piece
