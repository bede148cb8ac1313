"""What a run says while it goes on: the one vocabulary of synchronous answers, streams and jobs."""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from math import isfinite
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

#: How deep the data of an event may be nested: as deep as a request's body.
MAX_DEPTH = 100

_COST_LIMIT = Decimal(10) ** 8
_encoder = DjangoJSONEncoder()


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


def checked(event: object) -> RunEvent:
    """`event` as a capability may yield it, its data as plain JSON values.

    What Django's encoder can write (dates, decimals, UUIDs, lazy strings) becomes what it writes. A `final` event says
    None of usage and cost where they are missing.

    Raises:
        TypeError, ValueError, KeyError: it is no such event.
    """
    if not isinstance(event, RunEvent):
        raise TypeError("A capability yields RunEvents.")
    if event.type is EventType.TOKEN:
        if not isinstance(event.data["text"], str):
            raise TypeError("The text of a token event is a string.")
        return event
    if event.type is EventType.FINAL:
        return RunEvent(event.type, _checked_final(event.data))
    if event.is_terminal:
        raise ValueError("A capability raises what went wrong; it does not yield it.")
    return RunEvent(event.type, plain(event.data))


def _checked_final(given: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"output": None, "usage": None, "cost": None, **plain(given)}
    if not isinstance(data["usage"], dict | None):
        raise TypeError("The usage of a final event is an object.")
    if data["cost"] is not None:
        _check_cost(data["cost"])
    return data


def _check_cost(cost: object) -> None:
    try:
        dollars = Decimal(str(cost))
    except InvalidOperation as exc:
        raise ValueError("The cost of a final event is a decimal string.") from exc
    if not dollars.is_finite() or abs(dollars) >= _COST_LIMIT:
        raise ValueError("The cost of a final event is out of range.")


def plain(value: Any, depth: int = 0) -> Any:
    """`value` in nothing but dicts with string keys, lists, strings, finite numbers, booleans and None.

    Raises:
        TypeError: JSON has nothing for it.
        ValueError: a number is not finite, or it is nested too deeply.
    """
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return _finite(value)
    if depth >= MAX_DEPTH:
        raise ValueError("The data of an event is nested too deeply.")
    if isinstance(value, dict):
        return {_key(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return _plain_list(value, depth + 1)
    return plain(_encoder.default(value), depth + 1)


def _plain_list(values: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    # Vectors have thousands of numbers, and thousands of calls would be felt.
    if {float}.issuperset(map(type, values)) and all(map(isfinite, values)):
        return list(values)
    return [plain(value, depth) for value in values]


def _finite(number: float) -> float:
    if not isfinite(number):
        raise ValueError("JSON has only finite numbers.")
    return number


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    if type(key) is int:
        return str(key)
    raise TypeError("The keys of a JSON object are strings.")
