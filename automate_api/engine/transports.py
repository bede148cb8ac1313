"""Three ways to carry one run: collected for a synchronous answer, and streamed under WSGI or under ASGI.

Events of a stream are server-sent events as the WHATWG HTML standard, section 9.2, describes them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from django.db import close_old_connections
from django.http import StreamingHttpResponse

from automate_api.engine.driver import Run
from automate_api.engine.events import EventType, RunEvent
from automate_api.engine.mailbox import LoopMailbox, ThreadMailbox
from automate_api.engine.portal import portal
from automate_api.engine.storage import in_storage_thread, release_connections
from automate_api.exceptions import RunCancelled, StorageUnavailable

#: Seconds of silence before a comment is sent. Over WSGI only a write finds out that the client has gone.
WSGI_SILENCE = 0.5
ASGI_SILENCE = 15.0

OnEnd = Callable[[RunEvent | None, bytes], None]
Driving = asyncio.Task[None] | Future[None]

_encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
COMMENT = b": keep-alive\n\n"


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
    return end_of(run)


def _finish(run: Run) -> None:
    try:
        run.finish()
    except StorageUnavailable:
        # It may be the result that could not be stored. That it could not can still be.
        close_old_connections()
        run.finish()
        raise


def end_of(run: Run) -> RunEvent:
    """The terminal event; one that was stopped before it could have one was cancelled."""
    return run.end or RunEvent(EventType.CANCELLED, {"partial": ""})


async def _ignore(event: RunEvent) -> None:
    return None


def frame(sequence: int, event: RunEvent) -> bytes:
    """One server-sent event; JSON keeps every line break of the data escaped."""
    return f"id: {sequence}\nevent: {event.type.value}\ndata: {_encoder.encode(event.data)}\n\n".encode()


class Framing(Protocol):
    """How a stream says what its run says. One is made for each stream."""

    def frame(self, sequence: int, event: RunEvent) -> bytes:
        """`event`, which is number `sequence` from 1, after those before it; nothing where it is not told."""

    def alone(self, sequence: int, event: RunEvent) -> bytes:
        """The terminal event as a stream of its own, for those who are answered again."""


class EventFraming:
    """Events as they are, each with its number: `AutomateRunEvent`."""

    def frame(self, sequence: int, event: RunEvent) -> bytes:
        """One server-sent event."""
        return frame(sequence, event)

    def alone(self, sequence: int, event: RunEvent) -> bytes:
        """The same: it tells the whole result."""
        return frame(sequence, event)


class EventStream(StreamingHttpResponse):
    """A live run as server-sent events. The run ends with its client.

    The row is begun by the stream's first step and not by the view, since under ASGI Django drops a response unclosed
    when the client leaves while the view runs. The terminal event is sent only after the run has been stored.

    Args:
        run: the run, not yet begun.
        is_async: whether the server is an ASGI server.
        framing: how events are written; `EventFraming` unless given.
    """

    def __init__(self, run: Run, *, is_async: bool, framing: Framing | None = None, **kwargs: Any) -> None:
        self.run, self._framing = run, framing or EventFraming()
        self._stop: Callable[[], Any] | None = None
        self._on_begin: Callable[[], None] | None = None
        self._on_end: OnEnd | None = None
        self._sequence = 0
        if is_async:
            # What comes is done in other threads.
            release_connections()
        content = self._stream_async() if is_async else self._stream_sync()
        super().__init__(content, content_type="text/event-stream", **kwargs)
        self["Cache-Control"] = "no-cache"
        self["X-Accel-Buffering"] = "no"
        # Django's GZipMiddleware would hold chunks back, and the comments that find out who has left; it passes over
        # what is encoded already.
        self["Content-Encoding"] = "identity"

    def on_begin(self, call: Callable[[], None]) -> None:
        """Have `call` called by the stream's first step, in the server's own loop: it must not wait for anything."""
        self._on_begin = call

    def on_end(self, call: OnEnd) -> None:
        """Have `call` told the terminal event and its frame alone, once, after the run has been stored.

        It may use the ORM. A stream that ends before its run has begun has no terminal event.
        """
        self._on_end = call

    def close(self) -> None:
        """Stop the run and store how it ended. Servers call this whether or not anything was sent."""
        if self._stop is not None:
            self._stop()
        # What cannot be stored has been logged, and there is nobody left to tell.
        with suppress(StorageUnavailable):
            self.run.finish()
        self._tell(self.run.end, self._sequence + 1)
        super().close()

    # -- WSGI: this thread does the ORM, the portal's loop the rest --------------------------------------------------

    def _stream_sync(self) -> Iterator[bytes]:
        self._tell_begin()
        failure = self._store(self.run.begin)
        if failure is not None:
            yield self._frames([failure])
            return
        mailbox = ThreadMailbox()
        driving = portal.submit(self.run.drive(mailbox.put))
        driving.add_done_callback(partial(self._tell_end, mailbox))
        self._stop = driving.cancel
        while True:
            batch = mailbox.take(WSGI_SILENCE)
            if batch and batch[-1].is_terminal:
                yield self._end(batch)
                return
            yield self._frames(batch)

    # -- ASGI: the server's own loop --------------------------------------------------------------------------------

    async def _stream_async(self) -> AsyncIterator[bytes]:
        self._tell_begin()
        failure = await in_storage_thread(self._store, self.run.begin)
        if failure is not None:
            yield self._frames([failure])
            return
        mailbox = LoopMailbox()
        driving = asyncio.create_task(self.run.drive(mailbox.put))
        driving.add_done_callback(partial(self._tell_end, mailbox))
        self._stop = partial(driving.get_loop().call_soon_threadsafe, driving.cancel)
        while True:
            batch = await mailbox.take(ASGI_SILENCE)
            if batch and batch[-1].is_terminal:
                yield await in_storage_thread(self._end, batch)
                return
            yield self._frames(batch)

    # -- both -------------------------------------------------------------------------------------------------------

    def _end(self, batch: list[RunEvent]) -> bytes:
        """Store how the run ended; the last frames."""
        end = self._store(self.run.finish) or batch[-1]
        self._tell(end, self._sequence + len(batch))
        return self._frames([*batch[:-1], end])

    def _tell_begin(self) -> None:
        if self._on_begin is not None:
            self._on_begin()

    def _tell(self, end: RunEvent | None, sequence: int) -> None:
        call, self._on_end = self._on_end, None
        if call is not None:
            try:
                call(end, self._framing.alone(sequence, end) if end else b"")
            finally:
                release_connections()

    def _tell_end(self, mailbox: LoopMailbox | ThreadMailbox, driving: Driving) -> None:
        """Put the terminal event where a run that was stopped could not: somebody may wait for it."""
        if driving.cancelled() or driving.exception() is not None:
            mailbox.put_now(end_of(self.run))

    def _store(self, step: Callable[[], None]) -> RunEvent | None:
        """Take a step of storing; the terminal event to send instead when it fails. Holds no connection afterwards."""
        try:
            step()
        except RunCancelled as exc:
            return RunEvent(EventType.CANCELLED, {"partial": "", "code": exc.code})
        except StorageUnavailable:
            return self.run.end
        finally:
            release_connections()
        return None

    def _frames(self, batch: list[RunEvent]) -> bytes:
        first, self._sequence = self._sequence + 1, self._sequence + len(batch)
        frames = b"".join(self._framing.frame(first + place, event) for place, event in enumerate(batch))
        # Nothing would end the body where it is sent in chunks.
        return frames or COMMENT
