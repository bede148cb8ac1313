"""Uploads: `multipart/form-data` as RFC 7578 has it, whole or not at all."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, cast

from django.core.files.uploadhandler import FileUploadHandler
from django.http import QueryDict
from django.http.multipartparser import MultiPartParser as DjangoParser
from django.http.multipartparser import MultiPartParserError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles, MultiPartParser
from rest_framework.request import Request

from automate_api.conf import settings
from automate_api.exceptions import PayloadTooLarge
from automate_api.services.files import safe_name
from automate_api.v1.parsers import require_text

#: Bytes that a body may have beside its file: delimiters, headers of parts, and text.
FRAMING = 64 * 1024

# It has a character for each byte. What is decoded by it can be encoded again and decoded strictly.
_BYTES = "latin-1"


class UploadParser(MultiPartParser):
    """`multipart/form-data` with files of at most `AUTOMATE_API_ARTIFACT_MAX_BYTES`.

    Django's parser takes whatever came for the whole. This one refuses a body that is shorter than it says, that does
    not end in its closing delimiter, or of which Django's parser understood only some parts; and text that
    `StrictJSONParser` would refuse. What is refused leaves no temporary file. The host's `FILE_UPLOAD_HANDLERS` are
    used, after one that counts.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None
    ) -> "DataAndFiles[Any, Any]":
        """The body's text and files.

        Raises:
            ParseError: it is not such a body, or not all of it (400).
            PayloadTooLarge: a file in it is too long, or all of it (413).
        """
        request: Request = parser_context["request"]
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        limit = settings.artifact_max_bytes
        if length > limit + FRAMING:
            raise PayloadTooLarge
        handlers = [CappedUploadHandler(request, limit=limit), *request.upload_handlers]
        body = _Body(stream)
        try:
            parser = _Parser({**request.META, "CONTENT_TYPE": media_type}, body, handlers, _BYTES)
            body.delimiter = parser.delimiter
            return _whole(parser, body, length)
        except MultiPartParserError as exc:
            _let_go(handlers)
            raise _malformed() from exc
        except BaseException:
            _let_go(handlers)
            raise


class CappedUploadHandler(FileUploadHandler):
    """Refuses a file of more than `limit` bytes, and leaves the rest to the handlers that follow."""

    def __init__(self, request: Any = None, *, limit: int) -> None:
        super().__init__(request)
        self._limit = self._left = limit

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin to count."""
        super().new_file(*args, **kwargs)
        self._left = self._limit

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """The same bytes; raises PayloadTooLarge."""
        self._left -= len(raw_data)
        if self._left < 0:
            raise PayloadTooLarge
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Nothing: another handler has the file."""


class _Parser(DjangoParser):
    """Django's, with names of files that are names."""

    delimiter: bytes

    def __init__(self, meta: Mapping[str, Any], body: Any, handlers: list[Any], encoding: str) -> None:
        super().__init__(meta, body, handlers, encoding)
        self.delimiter = b"--" + cast("bytes", self._boundary)  # type: ignore[attr-defined]  # Django's

    def sanitize_file_name(self, file_name: str) -> str:
        """As an artifact may be called; Django's would have none for `..`, and drop the file."""
        return safe_name(_text(file_name))


class _Body:
    """A body that is read once, and what tells whether it was whole."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.delimiter = b""
        self.length = self.delimiters = 0
        self._unsearched = self._end = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._stream.read(size)
        self.length += len(data)
        self._end = (self._end + data)[-len(self.delimiter) - 16 :]
        self._count(self._unsearched + data)
        return data

    def _count(self, data: bytes) -> None:
        searched = 0
        while (found := data.find(self.delimiter, searched)) >= 0:
            self.delimiters += 1
            searched = found + len(self.delimiter)
        # The beginning of another may be there.
        self._unsearched = data[max(searched, len(data) - len(self.delimiter) + 1) :]

    @property
    def is_closed(self) -> bool:
        """Whether it ends in its closing delimiter (RFC 2046, section 5.1.1); nobody sends anything after that."""
        return self._end.rstrip(b" \t\r\n").endswith(self.delimiter + b"--")


def _whole(parser: _Parser, body: _Body, length: int) -> "DataAndFiles[Any, Any]":
    fields, files = parser.parse()
    try:
        parts = sum(len(values) for _name, values in [*fields.lists(), *files.lists()])
        if body.length != length or not body.is_closed or body.delimiters != parts + 1:
            raise _malformed()
        named = MultiValueDict({_text(name): found for name, found in files.lists()})
        return DataAndFiles(_texts(fields), named)
    except BaseException:
        for _name, found in files.lists():
            for file in found:
                file.close()
        raise


def _texts(fields: QueryDict) -> QueryDict:
    texts = QueryDict(mutable=True)
    for name, values in fields.lists():
        texts.setlist(_text(name), [_text(value) for value in values])
    return texts


def _text(raw: str) -> str:
    try:
        text = raw.encode(_BYTES).decode()
    except UnicodeDecodeError as exc:
        raise ParseError(_("The body is not UTF-8.")) from exc
    require_text(text)
    return text


def _malformed() -> ParseError:
    return ParseError(_("The body is not multipart/form-data, or not all of it has come."))


def _let_go(handlers: Sequence[Any]) -> None:
    """Have the handlers delete what they have begun to keep, which Django leaves to them only where all was read."""
    for handler in handlers:
        with suppress(Exception):
            handler.upload_interrupted()
