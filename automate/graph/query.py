"""Queries that lead to one place in a JSON value: singular queries of RFC 9535 (JSONPath), and nothing else of it."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

MOST_CHARACTERS = 1_024
"""The longest query."""

# RFC 9535, 2.1: integers that every reader of JSON has exactly.
_MOST_INDEX = 2**53 - 1

_BLANK = r"[ \t\n\r]*"
_HEX = (
    r"u(?:[0-9A-CE-Fa-ce-f][0-9A-Fa-f]{3}|[Dd][0-7][0-9A-Fa-f]{2}"
    r"|[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2})"
)
_PLAIN = r"[ !#-&(-\[\]-\ud7ff\ue000-\U0010ffff]"
_SEGMENT = re.compile(
    _BLANK
    + r"(?:\.(?P<short>[A-Za-z_\x80-\ud7ff\ue000-\U0010ffff][0-9A-Za-z_\x80-\ud7ff\ue000-\U0010ffff]*)"
    + rf"|\[{_BLANK}(?:(?P<index>0|-?[1-9][0-9]*)"
    + rf"|\"(?P<double>(?:{_PLAIN}|'|\\(?:[bfnrt/\\\"]|{_HEX}))*)\""
    + rf"|'(?P<single>(?:{_PLAIN}|\"|\\(?:[bfnrt/\\']|{_HEX}))*)')"
    + rf"{_BLANK}\])"
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})(?:\\u([Dd][C-Fc-f][0-9A-Fa-f]{2}))?|(.))")
_CHARACTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class QueryError(ValueError):
    """A text is no singular query; `column` counts from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


class NoSuchNode(LookupError):
    """A query leads nowhere; `part` is its beginning, up to what is not there."""

    def __init__(self, part: str) -> None:
        self.part = part
        super().__init__(part)


@dataclass(frozen=True, slots=True)
class Query:
    """A singular query: names of members and indexes of items, one after the other, from the root."""

    segments: tuple[str | int, ...]

    def find(self, root: Any) -> Any:
        """The value that the query leads to.

        Raises:
            NoSuchNode: there is none.
        """
        value = root
        for number, segment in enumerate(self.segments, 1):
            found = _step(value, segment)
            if found is _NOWHERE:
                raise NoSuchNode(normalized(self.segments[:number]))
            value = found
        return value


_NOWHERE = object()


def _step(value: Any, segment: str | int) -> Any:
    if isinstance(segment, str):
        return value.get(segment, _NOWHERE) if isinstance(value, dict) else _NOWHERE
    if isinstance(value, list) and -len(value) <= segment < len(value):
        return value[segment]
    return _NOWHERE


@lru_cache(maxsize=1024)
def compile_query(text: str) -> Query:
    """Read `text`, such as `$.event.payload['line items'][-1].sku`.

    Raises:
        QueryError: it is too long, no query, or one that may lead to several places.
    """
    if len(text) > MOST_CHARACTERS:
        raise QueryError(_("A path has at most %(most)d characters.") % {"most": MOST_CHARACTERS}, 1)
    if not text.startswith("$"):
        raise QueryError(_("A path begins with `$`."), 1)
    segments, position = [], 1
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            raise QueryError(_("After `$` come names and indexes: `.name`, `['name']` or `[0]`."), position + 1)
        segments.append(_segment(match))
        position = match.end()
    return Query(tuple(segments))


def _segment(match: re.Match[str]) -> str | int:
    index = match["index"]
    if index is None:
        return match["short"] or _ESCAPE.sub(_unescaped, match["double"] or match["single"] or "")
    # Before the conversion, which Python refuses for more digits than anybody needs.
    if len(index) > len(str(-_MOST_INDEX)) or abs(int(index)) > _MOST_INDEX:
        raise QueryError(_("This index is too large."), match.start("index") + 1)
    return int(index)


def _unescaped(match: re.Match[str]) -> str:
    first, second, character = match.groups()
    if first is None:
        return _CHARACTERS.get(character, character)
    if second is None:
        return chr(int(first, 16))
    return chr(0x10000 + ((int(first, 16) & 0x3FF) << 10 | int(second, 16) & 0x3FF))


def normalized(segments: tuple[str | int, ...]) -> str:
    """A query for `segments`, to be read by a person: short names where they can be, each cut to 40 characters."""
    return "$" + "".join(_spelled(segment) for segment in segments)


def _spelled(segment: str | int) -> str:
    if isinstance(segment, int):
        return f"[{segment}]"
    if segment.isidentifier():
        return f".{segment[:40]}"
    return f"[{segment[:40]!r}]"
