"""What operators do: a table for each, by the types of its operands.

An entry is the function and the static type of its result. Functions take the `Budget` first.
"""

import math
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from automate.rules.budget import Budget
from automate.rules.errors import Kind, RuleFailed, no_overload
from automate.rules.times import duration, timestamp
from automate.rules.types import OF_PYTHON, Type
from automate.rules.values import (
    INT_MAX,
    INT_MIN,
    MOST_LEVELS,
    NUMBERS,
    UINT_MAX,
    Duration,
    Timestamp,
    UInt,
    admit,
    key_of,
    name_of,
)

Overloads = dict[tuple[type, ...], tuple[Callable[..., Any], Type]]

POINTER = 8
"""What a member of a list or map counts for when one is made."""

_CHARACTERS_A_STEP = 1024
_MEMBERS_A_STEP = 64


def as_int(value: int) -> int:
    """`value`, if it fits.

    Raises:
        RuleFailed: it does not.
    """
    if INT_MIN <= value <= INT_MAX:
        return value
    raise RuleFailed(Kind.OVERFLOW, _("The result is past 64 bits."))


def as_uint(value: int) -> UInt:
    """The same of an unsigned integer."""
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise RuleFailed(Kind.OVERFLOW, _("The result is below 0 or past 64 bits."))


def _divided(left: int, right: int) -> int:
    """The quotient towards zero."""
    if right == 0:
        raise RuleFailed(Kind.DIVISION_BY_ZERO, _("Division by zero."))
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    """What division leaves; it has the sign of `left`."""
    return left - right * as_int(_divided(left, right))


def _divided_doubles(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def _joined(budget: Budget, left: Any, right: Any) -> Any:
    budget.make(len(left) + len(right))
    return left + right


def _joined_lists(budget: Budget, left: list[Any], right: list[Any]) -> list[Any]:
    budget.make(POINTER * (len(left) + len(right)))
    return left + right


def _overloads(entries: dict[tuple[type, ...], Callable[..., Any]], result: Type | None = None) -> Overloads:
    """A table whose results have the static type `result`, or that of the first operand."""
    return {types: (function, result or OF_PYTHON[types[0]]) for types, function in entries.items()}


_NUMBERS: tuple[type, ...] = (int, UInt, float)
_OTHERS: tuple[type, ...] = (bool, str, bytes, Timestamp, Duration)
_ORDERED = [*((left, right) for left in _NUMBERS for right in _NUMBERS), *((same, same) for same in _OTHERS)]


def _ordering(compare: Callable[[Any, Any], bool]) -> Overloads:
    return _overloads(dict.fromkeys(_ORDERED, lambda budget, left, right: compare(left, right)), Type.BOOL)


ARITHMETIC: dict[str, Overloads] = {
    "+": {
        **_overloads(
            {
                (int, int): lambda budget, left, right: as_int(left + right),
                (UInt, UInt): lambda budget, left, right: as_uint(int(left) + int(right)),
                (float, float): lambda budget, left, right: left + right,
                (str, str): _joined,
                (bytes, bytes): _joined,
                (list, list): _joined_lists,
                (Timestamp, Duration): lambda budget, left, right: timestamp(left.nanos + right.nanos),
                (Duration, Duration): lambda budget, left, right: duration(left.nanos + right.nanos),
            }
        ),
        (Duration, Timestamp): (lambda budget, left, right: timestamp(left.nanos + right.nanos), Type.TIMESTAMP),
    },
    "-": {
        **_overloads(
            {
                (int, int): lambda budget, left, right: as_int(left - right),
                (UInt, UInt): lambda budget, left, right: as_uint(int(left) - int(right)),
                (float, float): lambda budget, left, right: left - right,
                (Timestamp, Duration): lambda budget, left, right: timestamp(left.nanos - right.nanos),
                (Duration, Duration): lambda budget, left, right: duration(left.nanos - right.nanos),
            }
        ),
        (Timestamp, Timestamp): (lambda budget, left, right: duration(left.nanos - right.nanos), Type.DURATION),
    },
    "*": _overloads(
        {
            (int, int): lambda budget, left, right: as_int(left * right),
            (UInt, UInt): lambda budget, left, right: as_uint(int(left) * int(right)),
            (float, float): lambda budget, left, right: left * right,
        }
    ),
    "/": _overloads(
        {
            (int, int): lambda budget, left, right: as_int(_divided(left, right)),
            (UInt, UInt): lambda budget, left, right: UInt(_divided(left, right)),
            (float, float): lambda budget, left, right: _divided_doubles(left, right),
        }
    ),
    "%": _overloads(
        {
            (int, int): lambda budget, left, right: _remainder(left, right),
            (UInt, UInt): lambda budget, left, right: UInt(_remainder(int(left), int(right))),
        }
    ),
    "<": _ordering(lambda left, right: left < right),
    "<=": _ordering(lambda left, right: left <= right),
    ">": _ordering(lambda left, right: left > right),
    ">=": _ordering(lambda left, right: left >= right),
}
"""Arithmetic and ordering. Numbers of different types are ordered, and never calculated with."""

NEGATION: Overloads = _overloads({(int,): lambda budget, value: as_int(-value), (float,): lambda budget, value: -value})


def equal(budget: Budget, left: Any, right: Any, levels: int = MOST_LEVELS) -> bool:
    """Whether two values are equal; numbers are by what they amount to, others only to those of their own type.

    Raises:
        RuleFailed: they are too large or too deep to tell.
    """
    kind = type(left)
    if kind in NUMBERS:
        return type(right) in NUMBERS and left == right
    if kind is not type(right):
        return False
    if kind is list:
        return _equal_lists(budget, left, right, levels - 1)
    if kind is dict:
        return _equal_maps(budget, left, right, levels - 1)
    if kind is str or kind is bytes:
        budget.spend(min(len(left), len(right)) // _CHARACTERS_A_STEP)
    return bool(left == right)


def _equal_lists(budget: Budget, left: list[Any], right: list[Any], levels: int) -> bool:
    if len(left) != len(right):
        return False
    _descend(levels)
    for one, other in zip(left, right, strict=True):
        budget.spend(1)
        if not equal(budget, admit(one), admit(other), levels):
            return False
    return True


def _equal_maps(budget: Budget, left: dict[Any, Any], right: dict[Any, Any], levels: int) -> bool:
    if len(left) != len(right):
        return False
    _descend(levels)
    for key, value in left.items():
        budget.spend(1)
        if key not in right or not equal(budget, admit(value), admit(right[key]), levels):
            return False
    return True


def _descend(levels: int) -> None:
    if levels < 0:
        raise RuleFailed(Kind.TOO_COSTLY, _("A value is nested too deeply."))


def contains(budget: Budget, needle: Any, members: Any) -> bool:
    """Whether a list has a member, or a map a key.

    Raises:
        RuleFailed: `members` is neither, or too long.
    """
    if type(members) is dict:
        key = key_of(needle)
        return key is not None and key in members
    if type(members) is not list:
        raise no_overload("in", name_of(needle), name_of(members))
    if type(needle) is str:  # which equals nothing but itself, in Python as here
        budget.spend(len(members) // _MEMBERS_A_STEP)
        return needle in members
    for member in members:
        budget.spend(1)
        if equal(budget, admit(member), needle):
            return True
    return False
