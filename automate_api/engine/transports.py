"""Three ways to carry one run: collected for a synchronous answer, and streamed under WSGI or under ASGI.

Events of a stream are server-sent events as the WHATWG HTML standard, section 9.2, describes them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import wait
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.core.serializers.json import DjangoJSONEncoder
from django.db import close_old_connections, connections
from django.http import StreamingHttpResponse

from automate_api.engine.driver import Run
from automate_api.engine.events import EventType, RunEvent
from automate_api.engine.portal import portal
from automate_api.exceptions import RunCancelled, StorageUnavailable

#: Seconds of silence before a comment is sent. Over WSGI only a write finds out that the client has gone.
WSGI_SILENCE = 0.5
ASGI_SILENCE = 15.0

_QUEUE_SIZE = 64
_COMMENT = b": keep-alive\n\n"


def collect(run: Run) -> RunEvent:
    """Run to the end in this thread's name and return the terminal event; for callers without an event loop.

    Raises:
        StorageUnavailable: the run could not be stored.
    """
    run.begin()
    future = portal.submit(run.drive(_ignore))
    try:
        # The driver has its own deadline; this one only guards against a portal that hangs. However the run ended, it
        # says so itself.
        wait((future,), run.timeout + 30)
    finally:
        future.cancel()
        _finish(run)
    return _end_of(run)


def _finish(run: Run) -> None:
    try:
        run.finish()
    except StorageUnavailable:
        # It may be the result that could not be stored. That it could not can still be.
        close_old_connections()
        run.finish()
        raise


def _end_of(run: Run) -> RunEvent:
    return run.end or RunEvent(EventType.CANCELLED, {"partial": ""})


async def _ignore(event: RunEvent) -> None:
    return None


def frame(sequence: int, event: RunEvent) -> bytes:
    """One server-sent event; JSON keeps every line break of the data escaped."""
    data = json.dumps(event.data, cls=DjangoJSONEncoder, separators=(",", ":"))
    return f"id: {sequence}\nevent: {event.type}\ndata: {data}\n\n".encode()


class EventStream(StreamingHttpResponse):
    """A live run as server-sent events. The run ends with its client.

    The row is begun by the stream's first step and not by the view, since under ASGI Django drops a response unclosed
    when the client leaves while the view runs. The terminal event is sent only after the run has been stored.

    Args:
        run: the run, not yet begun.
        is_async: whether the server is an ASGI server.
    """

    def __init__(self, run: Run, *, is_async: bool, **kwargs: Any) -> None:
        self.run = run
        self._queue: asyncio.Queue[RunEvent] = asyncio.Queue(_QUEUE_SIZE)
        self._task: asyncio.Task[None] | None = None
        self._sequence = 0
        content = self._stream_async() if is_async else self._stream_sync()
        super().__init__(content, content_type="text/event-stream", **kwargs)
        self["Cache-Control"] = "no-cache"
        self["X-Accel-Buffering"] = "no"
        # Django's GZipMiddleware would hold chunks back, and the comments that find out who has left; it passes over
        # what is encoded already.
        self["Content-Encoding"] = "identity"

    def close(self) -> None:
        """Stop the run and store how it ended. Servers call this whether or not anything was sent."""
        if self._task is not None and not self._task.done():
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)
        # What cannot be stored has been logged, and there is nobody left to tell.
        with suppress(StorageUnavailable):
            self.run.finish()
        super().close()

    # -- WSGI: this thread does the ORM, the portal's loop the rest --------------------------------------------------

    def _stream_sync(self) -> Iterator[bytes]:
        failure = self._store(self.run.begin)
        if failure is not None:
            yield self._frames([failure])
            return
        portal.submit(self._start()).result()
        while True:
            batch = portal.submit(self._take(WSGI_SILENCE)).result()
            if batch and batch[-1].is_terminal:
                batch[-1] = self._store(self.run.finish) or batch[-1]
                yield self._frames(batch)
                return
            yield self._frames(batch)

    # -- ASGI: the server's own loop --------------------------------------------------------------------------------

    async def _stream_async(self) -> AsyncIterator[bytes]:
        store = sync_to_async(self._store)
        failure = await store(self.run.begin)
        if failure is not None:
            yield self._frames([failure])
            return
        await self._start()
        while True:
            batch = await self._take(ASGI_SILENCE)
            if batch and batch[-1].is_terminal:
                batch[-1] = await store(self.run.finish) or batch[-1]
                yield self._frames(batch)
                return
            yield self._frames(batch)

    # -- both -------------------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        self._task = asyncio.create_task(self.run.drive(self._queue.put))
        self._task.add_done_callback(self._tell_end)

    def _tell_end(self, task: asyncio.Task[None]) -> None:
        """Put the terminal event where a run that was stopped could not: somebody may wait for it."""
        if task.cancelled() or task.exception() is not None:
            if self._queue.full():
                self._queue.get_nowait()
            self._queue.put_nowait(_end_of(self.run))

    async def _take(self, silence: float) -> list[RunEvent]:
        """All events that are ready, after waiting for the first; none after `silence` seconds."""
        try:
            async with asyncio.timeout(silence):
                batch = [await self._queue.get()]
        except TimeoutError:
            return []
        while not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    def _store(self, step: Callable[[], None]) -> RunEvent | None:
        """Take a step of storing; the terminal event to send instead when it fails. Holds no connection afterwards."""
        try:
            step()
        except RunCancelled as exc:
            return RunEvent(EventType.CANCELLED, {"partial": "", "code": exc.code})
        except StorageUnavailable:
            return self.run.end
        finally:
            _release_connections()
        return None

    def _frames(self, batch: list[RunEvent]) -> bytes:
        if not batch:
            return _COMMENT
        first, self._sequence = self._sequence + 1, self._sequence + len(batch)
        return b"".join(frame(first + place, event) for place, event in enumerate(batch))


def _release_connections() -> None:
    # A connection held through a stream's silence is one that a pool of a hundred streams does not have.
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
