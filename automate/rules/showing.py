"""Values as explanations show them: JSON, cut to a sane length."""

import json
from typing import Any

from django.utils.translation import ngettext

from automate.rules.budget import Budget
from automate.rules.errors import RuleFailed
from automate.rules.output import as_json
from automate.rules.values import admit

_LONGEST_TEXT = 100
_MOST_MEMBERS = 10
_MOST_LEVELS = 3
_LONGEST_PHRASE = 80
_ROOM = 10_000


def shown(value: Any, levels: int = _MOST_LEVELS) -> Any:
    """`value` as JSON; what is long or deep is cut, with a text that says so in its place."""
    if type(value) is list:
        return _list(value, levels)
    if type(value) is dict:
        return _map(value, levels)
    try:
        # Only what is cut first is converted.
        return _cut(as_json(value[: _LONGEST_TEXT + 1] if type(value) in {str, bytes} else value, _budget()))
    except RuleFailed as failed:
        return f"… {failed.message}"


def _budget() -> Budget:
    return Budget(steps=1, size=_ROOM)


def _cut(value: Any) -> Any:
    return f"{value[:_LONGEST_TEXT]}…" if isinstance(value, str) and len(value) > _LONGEST_TEXT else value


def _list(value: list[Any], levels: int) -> list[Any]:
    if levels == 0:
        return [_more(len(value))] if value else []
    cut = [_member(member, levels) for member in value[:_MOST_MEMBERS]]
    return [*cut, _more(len(value) - _MOST_MEMBERS)] if len(value) > _MOST_MEMBERS else cut


def _map(value: dict[Any, Any], levels: int) -> dict[str, Any]:
    most = _MOST_MEMBERS if levels else 0
    cut: dict[str, Any] = {}
    for key, member in value.items():
        if len(cut) == most:
            cut["…"] = _more(len(value) - most)
            break
        cut[_cut(_key(key))] = _member(member, levels)
    return cut


def _key(key: Any) -> str:
    try:
        made: dict[str, Any] = as_json({key: None}, _budget())
    except RuleFailed:
        return "…"
    return next(iter(made))


def _member(member: Any, levels: int) -> Any:
    try:
        return shown(admit(member), levels - 1)
    except RuleFailed as failed:
        return f"… {failed.message}"


def _more(count: int) -> str:
    return ngettext("… %(count)s more", "… %(count)s more", count) % {"count": count}


def phrase(value: Any) -> str:
    """`value` in a sentence."""
    text = json.dumps(shown(value), ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_PHRASE else f"{text[:_LONGEST_PHRASE]}…"


def failure(failed: RuleFailed) -> dict[str, Any]:
    """A failure as JSON."""
    return {"kind": str(failed.kind), "message": failed.message}
