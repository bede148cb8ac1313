"""One event loop a process for callers that have none: synchronous views, workers and commands."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Portal:
    """A background event loop, started on first use and so after any fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run `coroutine` on the loop; its outcome is the returned future's."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, running."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="automate-portal", daemon=True).start()
            return self._loop


portal = Portal()


def _forget_loop() -> None:
    # The thread that ran the loop is not in the child of a fork.
    portal.__init__()  # type: ignore[misc]


os.register_at_fork(after_in_child=_forget_loop)
