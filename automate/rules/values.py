"""Values of rules, and how they come from the context.

A value has one of these exact Python types, so that operations can look it up: None, bool, int (64 bits, signed),
`UInt`, float, str, bytes, list, dict, `Timestamp`, `Duration`, `TypeName`. Members of lists and maps that come from
the context are as they came until somebody reaches for them: `admit` then makes them one of these.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from automate.rules.errors import Kind, RuleFailed

INT_MIN, INT_MAX, UINT_MAX = -(2**63), 2**63 - 1, 2**64 - 1
NANOS = 10**9
MOST_LEVELS = 128
"""How deep values may be nested where somebody looks at all of them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UInt(int):
    """An unsigned integer of 64 bits."""

    __slots__ = ()


class Timestamp(NamedTuple):
    """A point in time: nanoseconds since 1970 in UTC."""

    nanos: int


class Duration(NamedTuple):
    """A length of time in nanoseconds."""

    nanos: int


class TypeName(NamedTuple):
    """A type as a value."""

    name: str


class BoolKey(NamedTuple):
    """A boolean as a key of a map: as Python's own it would be the key 1 or 0."""

    value: bool


NAMES: dict[type, str] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    TypeName: "type",
}
"""What the language calls the types of values."""

NUMBERS = frozenset({int, UInt, float})
_AS_THEY_ARE = frozenset({bool, type(None), str, float, list, dict, UInt, bytes, Timestamp, Duration, TypeName})


def name_of(value: Any) -> str:
    """The name of a value's type, for messages."""
    return NAMES[type(value)].removeprefix("google.protobuf.").lower().replace("null_type", "null")


def admit(value: Any) -> Any:
    """A value of the context as one of the language.

    Raises:
        RuleFailed: there is none for it.
    """
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is int:
        if INT_MIN <= value <= INT_MAX:
            return value
        raise RuleFailed(Kind.OVERFLOW, _("A number of the context is past 64 bits."))
    return _converted(value)


def _converted(value: Any) -> Any:  # noqa: C901, PLR0911 - one line a type
    if isinstance(value, Promise | UUID):
        return str(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return admit(int(value))
    if isinstance(value, float | Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, datetime):
        return _timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return Duration(value // timedelta(microseconds=1) * 1000)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise RuleFailed(Kind.UNSUPPORTED_VALUE, _("A value of the context is of a kind that rules do not know."))


def _timestamp(value: datetime) -> Timestamp:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return Timestamp((aware - _EPOCH) // timedelta(microseconds=1) * 1000)


def key_of(value: Any) -> Any:
    """What a value is as a key of a map; None where it can be none."""
    kind = type(value)
    if kind is str or kind is int or kind is UInt:
        return value
    if kind is bool:
        return BoolKey(value)
    if kind is float and value.is_integer():
        return int(value)
    return None


def from_key(key: Any) -> Any:
    """The value that a key of a map stands for.

    Raises:
        RuleFailed: it is a key of the context that the language does not know.
    """
    if type(key) is str:
        return key
    if type(key) is BoolKey:
        return key.value
    value = admit(key)
    if type(value) not in _KEYS:
        raise RuleFailed(Kind.UNSUPPORTED_VALUE, _("A map of the context has keys that rules do not know."))
    return value


_KEYS = frozenset({bool, int, UInt, str})
