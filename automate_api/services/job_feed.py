"""Following the logs of jobs: one thread a process reads what is new, for everybody in it who listens."""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from uuid import UUID
from weakref import WeakSet

from django.db import connections

from automate_api.engine.events import EventType, RunEvent
from automate_api.engine.transports import frame
from automate_api.models import Job, JobEvent

logger = logging.getLogger(__name__)

#: Seconds between two looks at the logs that somebody listens to; with news from this process, between two at least.
POLL, NEWS = 0.25, 0.02

#: Events, and about how many bytes, that are read at a time. As much is kept of a job for its listeners; who is further
#: behind reads the database.
PAGE, PAGE_BYTES = 200, 1_000_000

#: Seconds that a fork waits for the thread to be done with the database.
LONGEST_LOOK = 5.0

# Jobs in one statement, rows that come from the database at a time.
_BATCH, _CHUNK = 500, 20


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a job as it is sent."""

    sequence: int
    data: bytes
    is_last: bool


def read_frames(job_id: UUID, after: int) -> list[Frame]:
    """A page of the job's events after sequence number `after`; none where there is nothing more."""
    events = JobEvent.objects.filter(job=job_id, sequence__gt=after).order_by("sequence")
    rows = events.values_list("sequence", "type", "data")[:PAGE]
    frames, size = [], 0
    for sequence, kind, data in rows.iterator(chunk_size=_CHUNK):
        event = RunEvent(EventType(kind), data)
        frames.append(Frame(sequence, frame(sequence, event), event.is_terminal))
        size += len(frames[-1].data)
        if size >= PAGE_BYTES:
            break
    return frames


@dataclass(eq=False)
class Listener:
    """Somebody who reads a job's log. `wake` is called from the feed's thread when there may be something new."""

    job_id: UUID
    wake: Callable[[], None]


@dataclass
class _Channel:
    """A job that somebody listens to: its latest frames, all that came after `base`."""

    # Weakly: a response that a server drops without closing it listens no more.
    listeners: WeakSet[Listener] = field(default_factory=WeakSet)
    base: int | None = None
    frames: deque[Frame] = field(default_factory=deque)
    size: int = 0
    has_ended: bool = False

    @property
    def last(self) -> int:
        return self.frames[-1].sequence if self.frames else self.base or 0

    def extend(self, frames: list[Frame]) -> None:
        self.frames.extend(frames)
        self.size += sum(len(frame.data) for frame in frames)
        while len(self.frames) > PAGE or (self.size > PAGE_BYTES and len(self.frames) > 1):
            oldest = self.frames.popleft()
            self.base, self.size = oldest.sequence, self.size - len(oldest.data)


class Feed:
    """The jobs that this process listens to."""

    def __init__(self) -> None:
        self._channels: dict[UUID, _Channel] = {}
        self._lock = threading.Lock()
        self._wanted, self._news = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def join(self, listener: Listener) -> None:
        """Wake `listener` from now on."""
        with self._lock:
            self._channels.setdefault(listener.job_id, _Channel()).listeners.add(listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="automate-feed", daemon=True)
                self._thread.start()
            self._wanted.set()

    def leave(self, listener: Listener) -> None:
        """Wake it no longer."""
        with self._lock:
            channel = self._channels.get(listener.job_id)
            if channel is not None:
                channel.listeners.discard(listener)
                if not channel.listeners:
                    del self._channels[listener.job_id]

    def news(self, job_id: UUID) -> None:
        """Somebody in this process has appended to the job's log: look soon, if anybody listens to it."""
        if job_id in self._channels:
            self._news.set()

    def frames_after(self, job_id: UUID, after: int) -> list[Frame] | None:
        """What came after sequence number `after`; None where that must be read from the database."""
        with self._lock:
            channel = self._channels.get(job_id)
            if channel is None or channel.base is None or after < channel.base:
                return None
            new = list(takewhile(lambda frame: frame.sequence > after, reversed(channel.frames)))
            return new[::-1]

    def has_ended(self, job_id: UUID) -> bool:
        """Whether the job is known to have ended, or to be gone. Ask before reading what came last."""
        with self._lock:
            channel = self._channels.get(job_id)
            return channel is not None and channel.has_ended

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            with _at_work:
                self._look_once()
            time.sleep(NEWS)
            self._news.wait(POLL - NEWS)
            self._news.clear()

    def _look_once(self) -> None:
        try:
            self.look()
        except Exception as exc:  # noqa: BLE001 - a thread that ends here would leave everybody waiting
            logger.error("The logs of jobs could not be read: %s", type(exc).__name__)
            connections.close_all()
        with self._lock:
            if not self._channels:
                self._wanted.clear()
                connections.close_all()

    def look(self) -> None:
        """Read what is new of every job somebody listens to, and wake them: one query, and one more for each job."""
        with self._lock:
            for job_id in [job_id for job_id, channel in self._channels.items() if not channel.listeners]:
                del self._channels[job_id]
            ids = list(self._channels)
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            rows = Job.objects.filter(pk__in=batch).values_list("pk", "last_event", "status")
            known = {job_id: (last, status not in Job.UNFINISHED) for job_id, last, status in rows}
            for job_id in batch:
                # One that is gone says nothing more.
                last, has_ended = known.get(job_id, (0, True))
                self._update(job_id, last, has_ended=has_ended)

    def _update(self, job_id: UUID, last: int, *, has_ended: bool) -> None:
        with self._lock:
            channel = self._channels.get(job_id)
        if channel is None:
            return
        is_new = channel.base is None or last > channel.last or has_ended is not channel.has_ended
        frames = read_frames(job_id, channel.last) if channel.base is not None and last > channel.last else []
        with self._lock:
            channel.base = last if channel.base is None else channel.base
            channel.extend(frames)
            if last > channel.last and frames:
                # There is more, and it need not wait.
                self._news.set()
            channel.has_ended = has_ended and (channel.last >= last or not frames)
            listeners = list(channel.listeners) if is_new else []
        for listener in listeners:
            listener.wake()


feed = Feed()

# Held while the thread is in the database. A fork in the middle of that would leave the child with locks of SQLite's
# library that nobody opens again.
_at_work = threading.RLock()
_forking: list[bool] = []


def _wait_for_the_thread() -> None:
    # A database that hangs keeps no fork waiting for long.
    _forking.append(_at_work.acquire(timeout=LONGEST_LOOK))


def _let_the_thread_go_on() -> None:
    if _forking.pop():
        _at_work.release()


def _begin_anew() -> None:
    # The thread is not in the child of a fork, and its listeners are the parent's.
    global feed, _at_work
    feed, _at_work = Feed(), threading.RLock()
    _forking.clear()


os.register_at_fork(before=_wait_for_the_thread, after_in_parent=_let_the_thread_go_on, after_in_child=_begin_anew)
