"""Following the logs of jobs: one thread a process reads what is new, for everybody in it who listens."""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import DatabaseError, connections

from automate_api.engine.events import TERMINAL, EventType, RunEvent
from automate_api.engine.transports import frame
from automate_api.models import Job, JobEvent

logger = logging.getLogger(__name__)

#: Seconds between two looks at the logs that somebody listens to.
POLL = 0.25

# Frames kept of a job for its listeners, and read at a time: who is further behind reads the database.
_WINDOW, _PAGE = 256, 200


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a job as it is sent."""

    sequence: int
    data: bytes
    is_last: bool


def read_frames(job_id: UUID, after: int) -> list[Frame]:
    """Up to a page of the job's events after sequence number `after`."""
    events = JobEvent.objects.filter(job=job_id, sequence__gt=after).order_by("sequence")
    rows = events.values_list("sequence", "type", "data")[:_PAGE]
    return [
        Frame(sequence, frame(sequence, RunEvent(EventType(kind), data)), EventType(kind) in TERMINAL)
        for sequence, kind, data in rows
    ]


@dataclass(eq=False)
class Listener:
    """Somebody who reads a job's log. `wake` is called from the feed's thread when there may be something new."""

    job_id: UUID
    wake: Callable[[], None]


@dataclass
class _Channel:
    """A job that somebody listens to: its latest frames, all that came after `base`."""

    listeners: set[Listener] = field(default_factory=set)
    base: int | None = None
    frames: deque[Frame] = field(default_factory=deque)
    has_ended: bool = False

    @property
    def last(self) -> int:
        return self.frames[-1].sequence if self.frames else self.base or 0

    def extend(self, frames: list[Frame]) -> None:
        self.frames.extend(frames)
        while len(self.frames) > _WINDOW:
            self.base = self.frames.popleft().sequence


class Feed:
    """The jobs that this process listens to."""

    def __init__(self) -> None:
        self._channels: dict[UUID, _Channel] = {}
        self._lock = threading.Lock()
        self._wanted = threading.Event()
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

    def frames_after(self, job_id: UUID, after: int) -> list[Frame] | None:
        """What came after sequence number `after`; None where that must be read from the database."""
        with self._lock:
            channel = self._channels.get(job_id)
            if channel is None or channel.base is None or after < channel.base:
                return None
            return [frame for frame in channel.frames if frame.sequence > after]

    def has_ended(self, job_id: UUID) -> bool:
        """Whether the job is known to have ended."""
        with self._lock:
            channel = self._channels.get(job_id)
            return channel is not None and channel.has_ended

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            try:
                self.look()
            except DatabaseError as exc:
                logger.error("The logs of jobs could not be read: %s", type(exc).__name__)
                connections.close_all()
            with self._lock:
                if not self._channels:
                    self._wanted.clear()
                    connections.close_all()
            time.sleep(POLL)

    def look(self) -> None:
        """Read what is new of every job somebody listens to, and wake them: one query, and one more for each job."""
        with self._lock:
            ids = list(self._channels)
        for job_id, last, status in Job.objects.filter(pk__in=ids).values_list("pk", "last_event", "status"):
            self._update(job_id, last, has_ended=status not in Job.UNFINISHED)

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
            channel.has_ended = has_ended and channel.last >= last
            listeners = list(channel.listeners) if is_new else []
        for listener in listeners:
            listener.wake()


feed = Feed()


def _begin_anew() -> None:
    # The thread is not in the child of a fork, and its listeners are the parent's.
    global feed
    feed = Feed()


os.register_at_fork(after_in_child=_begin_anew)
