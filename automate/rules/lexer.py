"""The words of a rule.

The grammar is the library's (see `parsing`), its lexer is not: it takes time that doubles with each backslash of a text
that does not end, lets a backslash stand for itself, and takes reserved words for names. This one looks at each
character once or twice.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

from automate.rules.errors import RuleError
from automate.rules.tree import MOST_LEVELS

RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "namespace",
        "package",
        "return",
        "var",
        "void",
        "while",
    ]
)

_WORDS = re.compile(
    r"""(?P<SPACE>(?:[\t\n\f\r\ ]+|//[^\n]*)+)
    |(?P<QUOTE>[bB]?[rR]?(?:\"{3}|'{3}|\"|'))
    |(?P<FLOAT_LIT>(?:\d+\.\d+|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
    |(?P<UINT_LIT>(?:0x[0-9a-fA-F]+|\d+)[uU])
    |(?P<INT_LIT>0x[0-9a-fA-F]+|\d+)
    |(?P<IDENT>[_a-zA-Z][_a-zA-Z0-9]*)
    |(?P<SIGN>\|\||&&|==|!=|<=|>=|[-?:<>+*/%!.,()\[\]{}])""",
    re.VERBOSE | re.ASCII,
)
# What follows opening quotes, up to the closing ones.
_TEXTS = {
    '"': re.compile(r'(?:[^"\\\n\r]|\\[^\n\r])*"'),
    "'": re.compile(r"(?:[^'\\\n\r]|\\[^\n\r])*'"),
    '"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*"""', re.DOTALL),
    "'''": re.compile(r"(?:[^'\\]|\\.|'(?!''))*'''", re.DOTALL),
}
_RAW_TEXTS = {
    '"': re.compile(r'[^"\n\r]*"'),
    "'": re.compile(r"[^'\n\r]*'"),
    '"""': re.compile(r'(?:[^"]|"(?!""))*"""'),
    "'''": re.compile(r"(?:[^']|'(?!''))*'''"),
}
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
# A bracket after one of these goes with it.
_OPERANDS = frozenset(["IDENT", "STRING_LIT", "MLSTRING_LIT", "BYTES_LIT", "BOOL_LIT", "NULL_LIT", *_CLOSING])
_UNARY = frozenset("!-")
_KINDS = {"true": "BOOL_LIT", "false": "BOOL_LIT", "null": "NULL_LIT", "in": "in"}


class Word(NamedTuple):
    """A word: its kind (a terminal of the grammar, or the sign itself), its text, and where it begins."""

    kind: str
    text: str
    start: int


def words(source: str) -> Iterator[Word]:
    """The words of `source`, but for a comma that a list or a map ends with: the specification allows it, the
    library's grammar does not.

    Raises:
        RuleError: something in it is no word, or it is nested too deeply.
    """
    nesting, comma = _Nesting(source), None
    for word in _all_words(source):
        ends_literal = nesting.follow(word)
        if comma is not None and not ends_literal:
            yield comma
        comma = word if word.kind == "," else None
        if comma is None:
            yield word
    if comma is not None:
        yield comma


def _all_words(source: str) -> Iterator[Word]:
    at, before = 0, ""
    while at < len(source):
        found = _WORDS.match(source, at)
        if found is None:
            raise RuleError(_("%(character)s has no meaning here.") % {"character": ascii(source[at])}, source, at)
        if found.lastgroup != "SPACE":
            word = _word(source, found, before)
            yield word
            before = word.text
            at += len(word.text)
        else:
            at = found.end()


class _Nesting:
    """What nests at least, so that a rule that is too deep is refused before the parser has taken it all in."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._before = ""
        self._signs = 0  # in a row
        # Of each bracket that is open: whether a list or a map begins with it.
        self._are_literals = [False]
        # And how many conditionals there are in it since the last comma. One is in the other, but those of a map's
        # key are in none of its value's.
        self._conditionals = [0]

    def follow(self, word: Word) -> bool:
        """Whether a list or a map ends with `word`, which comes next.

        Raises:
            RuleError: it is too deep.
        """
        kind, is_end = word.kind, False
        self._signs = self._signs + 1 if kind in _UNARY else 0
        if kind in _OPENING:
            self._are_literals.append(kind != "(" and self._before not in _OPERANDS)
            self._conditionals.append(0)
        elif kind in _CLOSING and len(self._are_literals) > 1:
            is_end = self._are_literals.pop()
            self._conditionals.pop()
        elif kind == "?":
            self._conditionals[-1] += 1
        elif kind == ",":
            self._conditionals[-1] = 0
        self._before = kind
        deepest = max(len(self._are_literals) - 1, self._signs, self._conditionals[-1] // 2)
        if deepest > MOST_LEVELS:
            raise RuleError(_("The rule is nested too deeply."), self._source, word.start)
        return is_end


def _word(source: str, found: re.Match[str], before: str) -> Word:
    kind, text, start = str(found.lastgroup), found[0], found.start()
    if kind == "SIGN":
        return Word(text, text, start)
    if kind == "IDENT":
        if text in RESERVED and before != ".":
            raise RuleError(_("“%(word)s” is a reserved word.") % {"word": text}, source, start, found.end())
        return Word(_KINDS.get(text, kind), text, start)
    if kind == "QUOTE":
        return _text(source, text, start)
    return Word(kind, text, start)


def _text(source: str, opening: str, start: int) -> Word:
    prefix = opening.rstrip("\"'")
    quotes = opening[len(prefix) :]
    raw = "r" in prefix.lower()
    end = (_RAW_TEXTS if raw else _TEXTS)[quotes].match(source, start + len(opening))
    if end is None:
        raise RuleError(_("The text that begins here does not end."), source, start)
    kind = "BYTES_LIT" if "b" in prefix.lower() else "MLSTRING_LIT" if len(quotes) > 1 else "STRING_LIT"
    return Word(kind, source[start : end.end()], start)
