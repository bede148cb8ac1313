"""Values of the language as JSON has them."""

import base64
import math
from typing import Any

from django.utils.translation import gettext as _

from automate.rules.budget import Budget
from automate.rules.errors import Kind, RuleFailed
from automate.rules.functions import format_double
from automate.rules.times import format_duration, format_timestamp
from automate.rules.values import INT_MAX, INT_MIN, MOST_LEVELS, Duration, Timestamp, TypeName, UInt, admit, from_key

_SCALAR = 8
"""What each value counts for, beside the length of a text."""


def as_json(value: Any, budget: Budget) -> Any:
    """A value with what it holds as JSON, by the rules of protocol buffers for what JSON has not.

    Unsigned integers are numbers; doubles that are no numbers, bytes (in base64), times and durations are texts, types
    their names; keys of maps are texts.

    Raises:
        RuleFailed: it is too large or too deep, or holds what is none of the language's, or a text that databases
            refuse (NUL, half a character).
    """
    budget.make(_SCALAR)
    return _converted(value, budget, MOST_LEVELS)


def _converted(value: Any, budget: Budget, levels: int) -> Any:
    kind = type(value)
    if kind is str:
        return _text(value, budget)
    if kind is int and INT_MIN <= value <= INT_MAX:
        return value
    if kind is list:
        _enter(value, budget, levels)
        return [_converted(member, budget, levels - 1) for member in value]
    if kind is dict:
        _enter(value, budget, levels)
        return {_key(key, budget): _converted(member, budget, levels - 1) for key, member in value.items()}
    if kind in _SCALARS:
        return _SCALARS[kind](value, budget)
    admitted = admit(value)
    return value if admitted is value else _converted(admitted, budget, levels)


def _enter(value: Any, budget: Budget, levels: int) -> None:
    if levels <= 0:
        raise RuleFailed(Kind.TOO_COSTLY, _("A value is nested too deeply."))
    budget.make(_SCALAR * len(value))


def _text(value: str, budget: Budget) -> str:
    budget.make(len(value))
    if "\x00" in value or not (value.isascii() or _is_whole(value)):
        raise RuleFailed(Kind.UNSUPPORTED_VALUE, _("The result holds a character that cannot be stored."))
    return value


def _is_whole(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bytes(value: bytes, budget: Budget) -> str:
    budget.make(len(value))
    return base64.b64encode(value).decode()


def _key(key: Any, budget: Budget) -> str:
    value = from_key(key)
    if type(value) is str:
        return _text(value, budget)
    return str(int(value)) if type(value) is not bool else "true" if value else "false"


_SCALARS: dict[type, Any] = {
    UInt: lambda value, budget: int(value),
    float: lambda value, budget: value if math.isfinite(value) else format_double(value),
    bytes: _bytes,
    Timestamp: lambda value, budget: format_timestamp(value),
    Duration: lambda value, budget: format_duration(value),
    TypeName: lambda value, budget: value.name,
}
