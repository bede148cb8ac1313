"""What a run says while it goes on: the one vocabulary of synchronous answers, streams and jobs."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class EventType(StrEnum):
    """The kinds of event; the value is the `event:` field of a server-sent event."""

    QUEUED = "queued"
    STARTED = "started"
    TOKEN = "token"  # noqa: S105 - a piece of text, not a secret
    PROGRESS = "progress"
    LOG = "log"
    ARTIFACT = "artifact"
    RETRY = "retry"
    FINAL = "final"
    ERROR = "error"
    CANCELLED = "cancelled"


TERMINAL = frozenset({EventType.FINAL, EventType.ERROR, EventType.CANCELLED})


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One event of a run; `data` is JSON-serializable and has the members its type promises.

    `queued {}`, `started {attempt}`, `token {text}`, `progress {done, total?, message?}`, `log {level, message}`,
    `artifact {id, kind, content_type, size}`, `retry {attempt, after_seconds, code}`, `final {output, usage, cost}`,
    `error {code, detail, partial}`, `cancelled {partial}`.
    """

    type: EventType
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def is_terminal(self) -> bool:
        """Whether nothing follows this event."""
        return self.type in TERMINAL
