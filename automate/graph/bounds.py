"""What a definition is at least: JSON that can be stored, and is no larger and no deeper than anybody needs."""

import math
import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate.graph.findings import Findings, below, is_name

MOST_CHARACTERS = 262_144
"""The largest definition: the characters of its texts and names, and `_EACH` more for each value."""

MOST_LEVELS = 48
"""The deepest nesting."""

_EACH = 8
_MOST_PARTS = 12
_INTEGERS = range(-(2**63), 2**63)
_unstorable = re.compile("[\0\ud800-\udfff]").search

# The way to a value: the way to what it stands in, and its name or index there.
_Way = tuple[Any, Any, str | int] | None

_TOO_LARGE = _("A definition has at most about 256 kB.")
_TOO_DEEP = _("This is nested too deeply.")
_TEXT = _("NUL characters and lone surrogates are not allowed.")
_NUMBER = _("This number is out of range.")
_NO_JSON = _("This is not JSON.")


def check_bounds(definition: Any, findings: Findings) -> None:
    """Look at every value once, and end the check at the first that cannot be kept."""
    left = MOST_CHARACTERS
    waiting: list[tuple[Any, int, _Way]] = [(definition, 0, None)]
    while waiting:
        value, level, way = waiting.pop()
        left -= _EACH
        if isinstance(value, str):
            left -= len(value)
        elif isinstance(value, dict | list):
            left -= _EACH * len(value)
            if left > 0:
                members = list(_members(value, level, way))
                left -= sum(len(way[2]) for _member, _level, way in members if way and isinstance(way[2], str))
                waiting.extend(members)
        if left < 0:
            findings.stop(findings.field, "too_large", _TOO_LARGE)
        fault = _TOO_DEEP if level > MOST_LEVELS else _fault_of(value)
        if fault is not None:
            findings.stop(_field(findings.field, way), "too_deep" if fault is _TOO_DEEP else "invalid", fault)


def _members(value: Any, level: int, way: _Way) -> Iterator[tuple[Any, int, _Way]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for part, member in parts:
        yield member, level + 1, (way, value, part)


def _fault_of(value: Any) -> Any:
    if value is None or isinstance(value, bool | list):
        return None
    if isinstance(value, int | float):
        fits = value in _INTEGERS if isinstance(value, int) else math.isfinite(value)
        return None if fits else _NUMBER
    texts = value if isinstance(value, dict) else [value]
    if not all(isinstance(text, str) for text in texts):
        return _NO_JSON
    return _TEXT if any(map(_unstorable, texts)) else None


def _field(field: str, way: _Way) -> str:
    """The field of a value; steps are called by their names."""
    parts: list[str | int] = []
    while way is not None:
        before, inside, part = way
        if isinstance(part, int) and before is not None and before[2] == "steps":
            part = label(inside[part], part)
        parts.insert(0, part)
        way = before
    return below(field, *parts[:_MOST_PARTS])


def label(step: Any, number: int) -> str:
    """What errors call the step at this place in its list: its name, or its index where it has none."""
    name = step.get("name") if isinstance(step, dict) else None
    return str(name) if is_name(name) else str(number)
