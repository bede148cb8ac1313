"""How long a regular expression can take, said before it is tried.

Python's `re` tries one way after another, and holds the interpreter's lock while it does. So each pattern is parsed,
and an upper bound of the ways it can try on a string of a given length is worked out from its parts:

- a repeat of one character that cannot begin what follows can end at one place only, so it adds its length;
- any other repeat can end anywhere, so what follows is tried that many times;
- alternatives that begin with different characters exclude each other, others are tried one after another;
- a repeat of a part that can itself match in several ways is tried in all combinations.

The bound is never too low, and sometimes too high: then a harmless pattern is refused. What has no such bound is
refused as well: back-references, look-arounds, flags, and a repeat of what may be empty.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from re import _constants as op
from re import _parser
from typing import Any, NamedTuple

MOST_CHARACTERS = 512
"""The longest pattern."""

MOST_STEPS = 4_000_000
"""The most steps that one search may need; about 50 ms."""

USUAL_LENGTH = 512
"""A pattern is accepted if it stays below `MOST_STEPS` on strings of this length."""

_MOST_REPEATS_WITHIN_REPEATS = 6

# Sets of characters are bits: each ASCII character, four kinds of others, and the end of the string.
_ASCII = 128
_DIGIT, _WORD, _SPACE, _OTHER = (1 << (_ASCII + kind) for kind in range(4))
_ALL = (1 << (_ASCII + 4)) - 1
_END = 1 << (_ASCII + 4)
_NEWLINE = 1 << ord("\n")


class UnsafePattern(ValueError):
    """A pattern that is none, or that could take too long."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part of a pattern can do at one position of the string.

    Attributes:
        first: characters that it, or what follows where it is empty, can begin with.
        ways: how often what follows is tried beyond its first character.
        work: the steps without what follows.
        miss: the steps where the next character is none of `first`, with what follows.
    """

    first: int
    ways: int
    work: int
    miss: int


class _Room(NamedTuple):
    """The length of the string, and how many levels of repeats within repeats may follow: each is looked at twice."""

    length: int
    levels: int


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, ready to search with.

    Raises:
        UnsafePattern: it is not a regular expression, or could take more than `MOST_STEPS` on `USUAL_LENGTH`.
    """
    if steps(pattern, USUAL_LENGTH) > MOST_STEPS:
        raise UnsafePattern(pattern)
    return re.compile(pattern)


def search_steps(pattern: str, text: str) -> int:
    """At most how many steps it takes to search `text`, rounded up.

    Raises:
        UnsafePattern: the pattern is refused whatever the text.
    """
    return steps(pattern, max(16, 1 << (len(text) - 1).bit_length()))


@lru_cache(maxsize=4096)
def steps(pattern: str, length: int) -> int:
    """At most how many steps it takes to search `length` characters for `pattern`.

    Raises:
        UnsafePattern: it is not a regular expression, or has no bound.
    """
    if len(pattern) > MOST_CHARACTERS:
        raise UnsafePattern(pattern)
    try:
        parsed = _parser.parse(pattern)
        whole = _sequence(parsed, _Part(0, 1, 1, 1), _Room(length, _MOST_REPEATS_WITHIN_REPEATS))
    except (re.error, RecursionError, OverflowError) as exc:
        raise UnsafePattern(pattern) from exc
    if parsed.state.flags & ~re.UNICODE.value:
        raise UnsafePattern(pattern)
    anchored = len(parsed) and parsed[0] in ((op.AT, op.AT_BEGINNING), (op.AT, op.AT_BEGINNING_STRING))
    return length + whole.work if anchored else (length + 1) * whole.work


def _sequence(items: Any, rest: _Part, room: _Room) -> _Part:
    """`items`, and `rest` after them; but `ways` and `work` are of `items` alone."""
    ways, work = 1, 1
    for kind, argument in reversed(items):
        part = _part(kind, argument, rest, room)
        ways, work = part.ways * ways, part.work + part.ways * work
        rest = part
    return _Part(rest.first, ways, work, rest.miss)


def _part(kind: Any, argument: Any, rest: _Part, room: _Room) -> _Part:
    if kind in _CHARACTERS:
        return _Part(_characters(kind, argument)[0], 1, 1, 1)
    if kind is op.AT:
        ends = {op.AT_END: _NEWLINE | _END, op.AT_END_STRING: _END}
        return _Part(ends.get(argument, rest.first), 1, 1, 1 + rest.miss)
    if kind is op.BRANCH:
        return _branch([_sequence(items, rest, room) for items in argument[1]])
    if kind is op.SUBPATTERN and not (argument[1] or argument[2]):
        return _sequence(argument[3], rest, room)
    if kind is op.ATOMIC_GROUP:
        return _sequence(argument, rest, room)
    if kind in {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}:
        low, high, items = argument
        return _repeat(low, int(high), items, rest, room)
    raise UnsafePattern


def _branch(parts: list[_Part]) -> _Part:
    first, miss, exclusive = 0, 0, True
    for part in parts:
        exclusive = exclusive and not first & part.first
        first, miss = first | part.first, miss + part.miss
    if exclusive:
        return _Part(first, max(part.ways for part in parts), miss + max(part.work for part in parts), miss)
    return _Part(first, sum(part.ways for part in parts), sum(part.work for part in parts), miss)


def _repeat(low: int, high: int, items: Any, rest: _Part, room: _Room) -> _Part:
    width = items.getwidth()[0]
    if low == high == 1:
        return _sequence(items, rest, room)
    if (low, high) == (0, 1):
        return _branch([_sequence(items, rest, room), _Part(rest.first, 1, 1, rest.miss)])
    if not width or not room.levels:
        raise UnsafePattern
    room = _Room(room.length, room.levels - 1)
    start = _sequence(items, rest, room)
    around = _Part(start.first | rest.first, 1, 1, start.miss + rest.miss)
    body = _sequence(items, around, room)
    times = min(high, room.length // width)
    ends = 1 if not start.first & rest.first else max(1, times - low + 1)
    rounds = times + 1
    if body.ways > 1:
        ends = rounds = _combinations(body.ways, times)
    work = rounds * (body.work + around.miss)
    return _Part(start.first | (0 if low else rest.first), ends, work, start.miss + (0 if low else rest.miss))


def _combinations(ways: int, times: int) -> int:
    total = 1
    for _round in range(times):
        total = total * ways + 1
        if total > MOST_STEPS:
            break
    return total


def _characters(kind: Any, argument: Any) -> tuple[int, int]:
    """The characters that may match, and those that surely do; they differ where a kind is matched in part."""
    if kind is op.ANY:
        return _ALL & ~_NEWLINE, _ALL & ~_NEWLINE
    if kind is op.LITERAL:
        return _range(argument, argument)
    if kind is op.NOT_LITERAL:
        return _inverse(*_range(argument, argument))
    if kind is op.RANGE:
        return _range(*argument)
    if kind is op.CATEGORY:
        return _CATEGORIES[argument], _CATEGORIES[argument]
    return _class(argument)


def _class(items: Any) -> tuple[int, int]:
    may = surely = 0
    for kind, argument in items:
        if kind is not op.NEGATE:
            also_may, also_surely = _characters(kind, argument)
            may, surely = may | also_may, surely | also_surely
    return _inverse(may, surely) if items[0][0] is op.NEGATE else (may, surely)


def _inverse(may: int, surely: int) -> tuple[int, int]:
    return _ALL & ~surely, _ALL & ~may


def _range(low: int, high: int) -> tuple[int, int]:
    ascii_part = ((1 << min(high + 1, _ASCII)) - 1) & ~((1 << min(low, _ASCII)) - 1)
    if high < _ASCII:
        return ascii_part, ascii_part
    return ascii_part | (_kind(chr(low)) if low == high else _DIGIT | _WORD | _SPACE | _OTHER), ascii_part


def _kind(character: str) -> int:
    if character.isspace():
        return _SPACE
    if character.isdecimal():
        return _DIGIT
    return _WORD if character.isalnum() else _OTHER


def _matching(category: str) -> int:
    return sum(1 << code for code in range(_ASCII) if re.match(category, chr(code)))


_CHARACTERS = {op.ANY, op.LITERAL, op.NOT_LITERAL, op.IN}
_CATEGORIES = {
    op.CATEGORY_DIGIT: _matching(r"\d") | _DIGIT,
    op.CATEGORY_NOT_DIGIT: _matching(r"\D") | _WORD | _SPACE | _OTHER,
    op.CATEGORY_WORD: _matching(r"\w") | _DIGIT | _WORD,
    op.CATEGORY_NOT_WORD: _matching(r"\W") | _SPACE | _OTHER,
    op.CATEGORY_SPACE: _matching(r"\s") | _SPACE,
    op.CATEGORY_NOT_SPACE: _matching(r"\S") | _DIGIT | _WORD | _OTHER,
}
