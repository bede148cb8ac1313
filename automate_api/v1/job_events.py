"""The log of a job as server-sent events (WHATWG HTML, section 9.2), which can be left and resumed."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from automate_api.engine.storage import in_storage_thread, release_connections, release_request_thread
from automate_api.engine.transports import ASGI_SILENCE, COMMENT, WSGI_SILENCE
from automate_api.exceptions import FieldError, InvalidInput
from automate_api.models import Job
from automate_api.services import job_feed
from automate_api.services.job_feed import Frame, Listener, read_frames

#: Milliseconds after which a browser connects again.
RETRY = 1000

HEADER, PARAMETER = "Last-Event-ID", "last_event_id"


def last_event_id(request: Request) -> int:
    """The sequence number after which the caller wants to go on; 0: from the beginning.

    Raises:
        InvalidInput: it is none (400).
    """
    text = request.headers.get(HEADER) or request.query_params.get(PARAMETER) or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        detail = str(_("The id of an event is a whole number."))
        raise InvalidInput([FieldError(PARAMETER, "invalid", detail)])
    return int(text)


def has_nothing_more(job: Job, after: int) -> bool:
    """Whether the job has ended and all of its log was read: a browser is to stop connecting (204)."""
    return job.status not in Job.UNFINISHED and after >= job.last_event


class JobEventStream(StreamingHttpResponse):
    """What a job says, from one event on, to its end. To leave cancels nothing.

    Every listener has a place in the log and no queue of its own, so that one who reads slowly, or not at all, costs
    nothing. No database connection is held while it waits.

    Args:
        job: the job.
        after: the sequence number of the last event that was read before.
        is_async: whether the server is an ASGI server.
        is_empty: to have the head alone.
    """

    def __init__(self, job: Job, *, after: int, is_async: bool, is_empty: bool = False) -> None:
        self._job_id: UUID = job.pk
        self._after, self._is_empty = after, is_empty
        self._listener: Listener | None = None
        content = self._stream_async() if is_async else self._stream_sync()
        super().__init__(content, content_type="text/event-stream")
        self["Cache-Control"] = "no-cache"
        self["X-Accel-Buffering"] = "no"
        # As for live streams: GZipMiddleware would hold chunks back.
        self["Content-Encoding"] = "identity"
        release_connections()

    def close(self) -> None:
        """Stop listening."""
        self._leave()
        super().close()

    def _leave(self) -> None:
        if self._listener is not None:
            job_feed.feed.leave(self._listener)

    def _stream_sync(self) -> Iterator[bytes]:
        if self._is_empty:
            return
        # A middleware may have opened one since.
        release_connections()
        news = threading.Event()
        self._listener = Listener(self._job_id, news.set)
        job_feed.feed.join(self._listener)
        try:
            yield _HEAD
            while True:
                news.clear()
                # Asked first: what is read then is all there will be.
                has_ended = self._has_ended()
                kept = self._kept()
                frames = kept if kept is not None else self._read()
                if frames:
                    yield self._taken(frames)
                if _is_over(frames, has_ended=has_ended):
                    return
                if not frames and not news.wait(WSGI_SILENCE):
                    yield COMMENT
        finally:
            self._leave()

    async def _stream_async(self) -> AsyncIterator[bytes]:
        if self._is_empty:
            return
        news, loop = asyncio.Event(), asyncio.get_running_loop()
        self._listener = Listener(self._job_id, lambda: _tell(loop, news))
        job_feed.feed.join(self._listener)
        try:
            await release_request_thread()
            yield _HEAD
            while True:
                news.clear()
                has_ended = self._has_ended()
                kept = self._kept()
                frames = kept if kept is not None else await in_storage_thread(self._read)
                if frames:
                    yield self._taken(frames)
                if _is_over(frames, has_ended=has_ended):
                    return
                if not frames:
                    try:
                        async with asyncio.timeout(ASGI_SILENCE):
                            await news.wait()
                    except TimeoutError:
                        yield COMMENT
        finally:
            self._leave()

    def _kept(self) -> list[Frame] | None:
        return job_feed.feed.frames_after(self._job_id, self._after)

    def _read(self) -> list[Frame]:
        try:
            return read_frames(self._job_id, self._after)
        finally:
            release_connections()

    def _taken(self, frames: list[Frame]) -> bytes:
        self._after = frames[-1].sequence
        return b"".join(frame.data for frame in frames)

    def _has_ended(self) -> bool:
        return job_feed.feed.has_ended(self._job_id)


_HEAD = f"retry: {RETRY}\n\n".encode()


def _is_over(frames: list[Frame], *, has_ended: bool) -> bool:
    # A log that was pruned, or went with its job, has no terminal event.
    return frames[-1].is_last if frames else has_ended


def _tell(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    # The server may be shutting down.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(news.set)
