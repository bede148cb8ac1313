"""Files that are made while they are sent."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from automate_api.engine.storage import in_storage_thread, release_connections, release_request_thread

ZIP = "application/zip"

#: A zip file as an answer, for `@extend_schema`.
ZIP_FILE: Mapping[Any, OpenApiResponse] = {
    (200, ZIP): OpenApiResponse(
        {"type": "string", "format": "binary"},
        description=_("The zip file."),
        examples=[OpenApiExample("an archive", value="(the bytes of helper.zip)", media_type=ZIP)],
    )
}


class ArchiveResponse(StreamingHttpResponse):
    """A file, page by page, each made when the one before has been sent.

    While a page is sent no database connection is held, unless a transaction holds it. Where a page cannot be made the
    server breaks the connection off, and whoever reads knows that it is not the whole file. A client that leaves ends
    it.

    Args:
        pages: makes them; used by one thread at a time, not always the same.
        filename: what to save it as, in letters that need no quoting.
        content_type: of the file.
        is_async: whether the server is an ASGI server.
        is_empty: to have the head alone.
    """

    def __init__(
        self, pages: Iterator[bytes], *, filename: str, content_type: str, is_async: bool, is_empty: bool = False
    ) -> None:
        self._pages = iter(()) if is_empty else pages
        if is_async:
            # What comes is done in other threads.
            release_connections()
        content = self._stream_async() if is_async else self._stream_sync()
        super().__init__(content, content_type=content_type)
        self["Content-Disposition"] = f'attachment; filename="{filename}"'
        self["X-Content-Type-Options"] = "nosniff"
        self["Cache-Control"] = "no-store"
        self["X-Accel-Buffering"] = "no"
        # As for live streams: GZipMiddleware would hold pages back, and find nothing to make smaller.
        self["Content-Encoding"] = "identity"

    def close(self) -> None:
        """Make no more of it; a server that keeps the response keeps nothing else."""
        self._pages = iter(())
        super().close()

    def _stream_sync(self) -> Iterator[bytes]:
        for page in self._pages:
            release_connections()
            yield page

    async def _stream_async(self) -> AsyncIterator[bytes]:
        await release_request_thread()
        while page := await in_storage_thread(next, self._pages, b""):
            yield page
