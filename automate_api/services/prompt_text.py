"""Prompts as text for people, which programs can take apart again."""

import json
import re
from collections.abc import Mapping
from typing import Any

#: The line between two prompts.
SEPARATOR = "---"

_ROLE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
# A line that a reader would take for the one between two prompts, by whatever it knows for the end of a line.
_BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
# JSON leaves these as they are, and a reader may break the line there.
_BREAKS_OF_JSON = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
_SEPARATING = re.compile(rf"(?<![^{_BREAKS}])(?=\\*{SEPARATOR}(?![^{_BREAKS}]))")


def history_text(history: Any) -> str:
    """The messages of a prompt log, with a line `---` between each two.

    A message is a line with its role, followed, where it has more than a role and a content, by a space and the rest as
    a JSON object: `assistant {"tool_calls":[...]}`. From the next line on there is the content as it is, or as JSON
    where it is not text. A line of the content that is `---` has a backslash in front, and one that had backslashes
    there has one more.
    """
    messages = history if isinstance(history, list) else [history]
    return f"\n{SEPARATOR}\n".join(_message_text(message) for message in messages)


def _message_text(message: Any) -> str:
    rest = dict(message) if isinstance(message, Mapping) else {"content": message}
    content = rest.pop("content", None)
    role = rest.pop("role") if _is_role(rest.get("role")) else ""
    head = " ".join(part for part in (role, _json(rest) if rest else "") if part)
    return f"{head}\n{_SEPARATING.sub(_escape, _content_text(content))}"


def _is_role(value: Any) -> bool:
    return isinstance(value, str) and _ROLE.fullmatch(value) is not None


def _content_text(content: Any) -> str:
    if content is None:
        return ""
    return content if isinstance(content, str) else _json(content)


def _escape(match: re.Match[str]) -> str:
    return "\\"


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.translate(_BREAKS_OF_JSON)
