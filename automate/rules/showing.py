"""Values as explanations show them: JSON, cut to a sane length."""

import json
from itertools import islice
from typing import Any

from django.utils.translation import ngettext

from automate.rules.budget import Budget
from automate.rules.errors import RuleFailed
from automate.rules.output import as_json
from automate.rules.values import admit

_LONGEST_TEXT = 100
_MOST_MEMBERS = 10
_MOST_VALUES = 30
_MOST_LEVELS = 3
_LONGEST_PHRASE = 80
_ROOM = 10_000


def shown(value: Any) -> Any:
    """`value` as JSON; where it is long or deep it is cut, and a text says so."""
    return _Cutter().cut(value, _MOST_LEVELS)


class _Cutter:
    """What is left of the values that may be shown of one."""

    def __init__(self) -> None:
        self.left = _MOST_VALUES

    def cut(self, value: Any, levels: int) -> Any:
        """A value, or as much of it as may be shown."""
        self.left -= 1
        if type(value) is list:
            most = self._most(levels)
            cut = [self._member(member, levels) for member in value[:most]]
            return [*cut, _more(len(value) - most)] if len(value) > most else cut
        if type(value) is dict:
            return self._map(value, levels)
        # Only what is cut first is converted.
        return _text(_json(value[: _LONGEST_TEXT + 1] if type(value) in {str, bytes} else value))

    def _map(self, value: dict[Any, Any], levels: int) -> dict[str, Any]:
        most = self._most(levels)
        cut = {_key(key): self._member(member, levels) for key, member in islice(value.items(), most)}
        return {**cut, "…": _more(len(value) - most)} if len(value) > most else cut

    def _most(self, levels: int) -> int:
        return min(_MOST_MEMBERS, max(self.left, 0)) if levels else 0

    def _member(self, member: Any, levels: int) -> Any:
        try:
            return self.cut(admit(member), levels - 1)
        except RuleFailed as failed:
            return f"… {failed.message}"


def _json(value: Any) -> Any:
    try:
        return as_json(value, Budget(steps=1, size=_ROOM))
    except RuleFailed as failed:
        return f"… {failed.message}"


def _text(value: Any) -> Any:
    return f"{value[:_LONGEST_TEXT]}…" if isinstance(value, str) and len(value) > _LONGEST_TEXT else value


def _key(key: Any) -> str:
    made = _json({key: None})
    return str(_text(next(iter(made)))) if isinstance(made, dict) else "…"


def _more(count: int) -> str:
    return ngettext("… %(count)s more", "… %(count)s more", count) % {"count": count}


def phrase(value: Any) -> str:
    """`value` in a sentence."""
    text = json.dumps(shown(value), ensure_ascii=False)
    return text if len(text) <= _LONGEST_PHRASE else f"{text[:_LONGEST_PHRASE]}…"


def failure(failed: RuleFailed) -> dict[str, Any]:
    """A failure as JSON."""
    return {"kind": str(failed.kind), "message": failed.message}
