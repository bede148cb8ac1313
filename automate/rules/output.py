"""Values of the language as JSON has them."""

import base64
import math
from typing import Any

from django.utils.translation import gettext as _

from automate.rules.budget import Budget
from automate.rules.errors import Kind, RuleFailed
from automate.rules.functions import format_double
from automate.rules.times import format_duration, format_timestamp
from automate.rules.values import MOST_LEVELS, Duration, Timestamp, TypeName, UInt, admit, from_key

_SCALAR = 4
"""What a value without a length counts for."""


def as_json(value: Any, budget: Budget, levels: int = MOST_LEVELS) -> Any:
    """A value with what it holds as JSON, by the rules of protocol buffers for what JSON has not.

    Unsigned integers are numbers; doubles that are no numbers, bytes (in base64), times and durations are texts, types
    their names; keys of maps are texts.

    Raises:
        RuleFailed: it is too large or too deep, or holds what is none of the language's.
    """
    kind = type(value)
    if kind is list:
        return [as_json(admit(member), budget, levels - 1) for member in _entered(value, budget, levels)]
    if kind is dict:
        return {
            _key(key): as_json(admit(member), budget, levels - 1)
            for key, member in _entered(value, budget, levels).items()
        }
    budget.make(_SCALAR + len(value) if kind is str or kind is bytes else _SCALAR)
    return _SCALARS[kind](value) if kind in _SCALARS else value


def _entered(value: Any, budget: Budget, levels: int) -> Any:
    if levels <= 0:
        raise RuleFailed(Kind.TOO_COSTLY, _("A value is nested too deeply."))
    budget.make(_SCALAR)
    return value


def _key(key: Any) -> str:
    value = from_key(key)
    if type(value) is str:
        return value
    return str(int(value)) if type(value) is not bool else "true" if value else "false"


_SCALARS: dict[type, Any] = {
    UInt: int,
    float: lambda value: value if math.isfinite(value) else format_double(value),
    bytes: lambda value: base64.b64encode(value).decode(),
    Timestamp: format_timestamp,
    Duration: format_duration,
    TypeName: lambda value: value.name,
}
