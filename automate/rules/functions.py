"""The standard functions: a table for each, by the types of its arguments."""

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from automate.rules import times
from automate.rules.budget import Budget
from automate.rules.errors import Kind, RuleFailed
from automate.rules.operators import Overloads, as_int, as_uint
from automate.rules.types import OF_PYTHON, Type
from automate.rules.values import NAMES, NANOS, Duration, Timestamp, TypeName, UInt

_CHARACTERS_A_STEP = 256
_PRODUCT_A_STEP = 330
_STEPS_OF_A_REFUSAL = 500
_LONGEST_PATTERN = 512
_REGEX_MEMORY = 1 << 20
_INT = re.compile(r"-?\d{1,20}", re.ASCII)
_UINT = re.compile(r"\d{1,20}", re.ASCII)
_DOUBLE = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)", re.ASCII | re.IGNORECASE)
_LONGEST_NUMBER = 400
_BOOLS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


class Function(NamedTuple):
    """A function: how it may be called, and what it does.

    Attributes:
        alone: as `f(a, b)`, by the types of all arguments.
        of: as `a.f(b)`, likewise, the receiver first.
    """

    alone: Overloads
    of: Overloads


def _wrong(message: str) -> RuleFailed:
    return RuleFailed(Kind.INVALID_ARGUMENT, message)


def _of_text(pattern: re.Pattern[str], convert: Callable[[str], Any], name: str) -> Callable[[Budget, str], Any]:
    def converted(budget: Budget, text: str) -> Any:
        if len(text) > _LONGEST_NUMBER or not pattern.fullmatch(text):
            raise _wrong(_("This text is no %(type)s.") % {"type": name})
        return convert(text)

    return converted


def _truncated(value: float, check: Callable[[int], int]) -> int:
    if not math.isfinite(value):
        raise RuleFailed(Kind.OVERFLOW, _("The result is past 64 bits."))
    return check(int(value))


def _bool(budget: Budget, text: str) -> bool:
    if text not in _BOOLS:
        raise _wrong(_("This text is no %(type)s.") % {"type": "bool"})
    return _BOOLS[text]


def format_double(value: float) -> str:
    """A double as a text: as short as it can be and still the same number."""
    if math.isfinite(value):
        return repr(value).removesuffix(".0")
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _decoded(budget: Budget, value: bytes) -> str:
    budget.make(len(value))
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _wrong(_("These bytes are no text in UTF-8.")) from None


def _encoded(budget: Budget, value: str) -> bytes:
    budget.make(len(value))
    return value.encode("utf-8", "replace")  # a lone half of a character has no bytes of its own


def _text_test(test: Callable[[str, str], bool]) -> Callable[[Budget, str, str], bool]:
    def tested(budget: Budget, text: str, part: str) -> bool:
        budget.spend((len(text) + len(part)) // _CHARACTERS_A_STEP)
        return test(text, part)

    return tested


def _matches(budget: Budget, text: str, pattern: str) -> bool:
    if len(pattern) > _LONGEST_PATTERN:
        raise _wrong(_("This pattern is too long."))
    compiled = _regex(pattern)
    if compiled is None:
        budget.spend(_STEPS_OF_A_REFUSAL)
        raise _wrong(_("This pattern is not known to RE2, or too large."))
    searched = text.encode("utf-8", "replace")
    # RE2 has linear time at best, and where its memory does not do, that of the product of text and program. The one
    # is what compiling took, if it was compiled now.
    budget.spend(int(compiled.programsize * (1 + len(searched) / _PRODUCT_A_STEP)))
    return compiled.search(searched) is not None


@lru_cache(maxsize=512)
def _regex(pattern: str) -> Any:
    import re2  # noqa: PLC0415 - of the extra `workflows`

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _REGEX_MEMORY
    try:
        return re2.compile(pattern.encode("utf-8", "replace"), options=options)
    except re2.error:
        return None


def _calendar(read: Callable[[Any], int]) -> Overloads:
    """A part of a date, in UTC or in a time zone."""
    return {
        (Timestamp,): (lambda budget, value: read(times.moment(value)), Type.INT),
        (Timestamp, str): (lambda budget, value, zone: read(times.moment(value, zone)), Type.INT),
    }


def _clock(read: Callable[[Any], int], unit: int) -> Overloads:
    """A part of the time of day, or a duration in whole units."""

    def of_duration(budget: Budget, value: Duration) -> int:
        return abs(value.nanos) // unit * (-1 if value.nanos < 0 else 1)

    return {**_calendar(read), (Duration,): (of_duration, Type.INT)}


def _milliseconds(budget: Budget, value: Duration) -> int:
    return abs(value.nanos) % NANOS // 10**6 * (-1 if value.nanos < 0 else 1)


_SIZE: Overloads = {(kind,): (lambda budget, value: len(value), Type.INT) for kind in (str, bytes, list, dict)}
_MATCHES: Overloads = {(str, str): (_matches, Type.BOOL)}
_TYPE: Overloads = {(kind,): (lambda budget, value: TypeName(NAMES[type(value)]), Type.TYPE) for kind in NAMES}
_DYN: Overloads = {(kind,): (lambda budget, value: value, Type.DYN) for kind in NAMES}


def _conversion(to: type, entries: dict[type, Callable[..., Any]]) -> Function:
    """A conversion; a value of its own type is left as it is."""
    same: dict[type, Callable[..., Any]] = {to: lambda budget, value: value}
    return Function({(kind,): (convert, OF_PYTHON[to]) for kind, convert in (same | entries).items()}, {})


def _test(test: Callable[[str, str], bool]) -> Function:
    return Function({}, {(str, str): (_text_test(test), Type.BOOL)})


FUNCTIONS: dict[str, Function] = {
    "size": Function(_SIZE, _SIZE),
    "matches": Function(_MATCHES, _MATCHES),
    "type": Function(_TYPE, {}),
    "dyn": Function(_DYN, {}),
    "contains": _test(lambda text, part: part in text),
    "startsWith": _test(str.startswith),
    "endsWith": _test(str.endswith),
    "bool": _conversion(bool, {str: _bool}),
    "int": _conversion(
        int,
        {
            UInt: lambda budget, value: as_int(int(value)),
            float: lambda budget, value: _truncated(value, as_int),
            str: _of_text(_INT, lambda text: as_int(int(text)), "int"),
            Timestamp: lambda budget, value: value.nanos // NANOS,
        },
    ),
    "uint": _conversion(
        UInt,
        {
            int: lambda budget, value: as_uint(value),
            float: lambda budget, value: _truncated(value, as_uint),
            str: _of_text(_UINT, lambda text: as_uint(int(text)), "uint"),
        },
    ),
    "double": _conversion(
        float,
        {
            int: lambda budget, value: float(value),
            UInt: lambda budget, value: float(value),
            str: _of_text(_DOUBLE, float, "double"),
        },
    ),
    "string": _conversion(
        str,
        {
            bool: lambda budget, value: "true" if value else "false",
            int: lambda budget, value: str(value),
            UInt: lambda budget, value: str(int(value)),
            float: lambda budget, value: format_double(value),
            bytes: _decoded,
            Timestamp: lambda budget, value: times.format_timestamp(value),
            Duration: lambda budget, value: times.format_duration(value),
        },
    ),
    "bytes": _conversion(bytes, {str: _encoded}),
    "timestamp": _conversion(
        Timestamp,
        {
            str: lambda budget, text: times.parse_timestamp(text),
            int: lambda budget, value: times.timestamp(value * NANOS),
        },
    ),
    "duration": _conversion(Duration, {str: lambda budget, text: times.parse_duration(text)}),
    "getFullYear": Function({}, _calendar(lambda moment: moment.year)),
    "getMonth": Function({}, _calendar(lambda moment: moment.month - 1)),
    "getDate": Function({}, _calendar(lambda moment: moment.day)),
    "getDayOfMonth": Function({}, _calendar(lambda moment: moment.day - 1)),
    "getDayOfWeek": Function({}, _calendar(lambda moment: moment.isoweekday() % 7)),
    "getDayOfYear": Function({}, _calendar(lambda moment: moment.timetuple().tm_yday - 1)),
    "getHours": Function({}, _clock(lambda moment: moment.hour, 3600 * NANOS)),
    "getMinutes": Function({}, _clock(lambda moment: moment.minute, 60 * NANOS)),
    "getSeconds": Function({}, _clock(lambda moment: moment.second, NANOS)),
    "getMilliseconds": Function(
        {},
        {**_calendar(lambda moment: moment.microsecond // 1000), (Duration,): (_milliseconds, Type.INT)},
    ),
}
"""All functions by their names."""

TYPES: dict[str, TypeName] = {
    name: TypeName(name)
    for name in (
        "bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type",
        "google.protobuf.Timestamp", "google.protobuf.Duration",
    )
}  # fmt: skip
"""Names that stand for types."""
