"""Events on their way from a run's driver, on an event loop, to the one who reads them."""

import asyncio
from collections import deque
from queue import Empty, SimpleQueue

from automate_api.engine.events import RunEvent

#: As many events wait to be read; then the driver waits.
SIZE = 64


class LoopMailbox:
    """For a reader on the driver's own loop."""

    def __init__(self) -> None:
        self._events: deque[RunEvent] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    async def put(self, event: RunEvent) -> None:
        """Hand over an event; waits while the reader is far behind."""
        self.put_now(event)
        while len(self._events) >= SIZE:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer

    def put_now(self, event: RunEvent) -> None:
        """Hand over an event without waiting."""
        self._events.append(event)
        _resolve(self._reader)

    async def take(self, silence: float) -> list[RunEvent]:
        """All events that are there, after waiting for the first; none after `silence` seconds."""
        if not self._events:
            loop = asyncio.get_running_loop()
            self._reader = loop.create_future()
            timer = loop.call_later(silence, _resolve, self._reader)
            try:
                await self._reader
            finally:
                timer.cancel()
        batch = list(self._events)
        self._events.clear()
        _resolve(self._writer)
        return batch


class ThreadMailbox:
    """For a reader in a thread of its own; one step of the driver's loop and one of the thread for what is read."""

    def __init__(self) -> None:
        self._events: SimpleQueue[RunEvent] = SimpleQueue()
        self._writer: asyncio.Future[None] | None = None

    async def put(self, event: RunEvent) -> None:
        """Hand over an event; waits while the reader is far behind."""
        self.put_now(event)
        while self._events.qsize() >= SIZE:
            self._writer = asyncio.get_running_loop().create_future()
            # The reader may have read before it could see that somebody waits.
            if self._events.qsize() >= SIZE:
                await self._writer

    def put_now(self, event: RunEvent) -> None:
        """Hand over an event without waiting."""
        self._events.put(event)

    def take(self, silence: float) -> list[RunEvent]:
        """All events that are there, after waiting for the first; none after `silence` seconds."""
        try:
            batch = [self._events.get(timeout=silence)]
        except Empty:
            return []
        batch += [self._events.get() for _number in range(self._events.qsize())]
        if (writer := self._writer) is not None:
            self._writer = None
            writer.get_loop().call_soon_threadsafe(_resolve, writer)
        return batch


def _resolve(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
