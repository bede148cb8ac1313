"""What literals stand for."""

import re
from typing import Any

from django.utils.translation import gettext as _

from automate.rules.errors import Refused
from automate.rules.values import INT_MAX, UINT_MAX, UInt

_ESCAPE = re.compile(
    r"\\(?:(?P<sign>[abfnrtv\\?\"'`])|[xX](?P<byte>[0-9a-fA-F]{2})|u(?P<short>[0-9a-fA-F]{4})"
    r"|U(?P<long>[0-9a-fA-F]{8})|(?P<octal>[0-3][0-7]{2})|.?)",
    re.DOTALL,
)
_SIGNS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_QUOTED = re.compile(r"([bBrR]*)(\"{3}|'{3}|\"|')(.*)\2", re.DOTALL)
_NEGATED_MAX = INT_MAX + 1


def literal(kind: str, text: str, start: int) -> Any:
    """The value of a literal; of an integer perhaps the one past the largest, which only a minus makes right.

    Raises:
        Refused: there is none.
    """
    try:
        return _VALUES[kind](text)
    except _Wrong as wrong:
        raise Refused(str(wrong), start + wrong.offset, start + len(text)) from None


class _Wrong(Exception):
    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


def _int(text: str) -> int:
    value = int(text, 0) if text.startswith("0x") else int(text)
    if value > _NEGATED_MAX:
        raise _Wrong(_("This number is past 64 bits."))
    return value


def _uint(text: str) -> UInt:
    value = int(text[:-1], 0) if text.startswith("0x") else int(text[:-1])
    if value > UINT_MAX:
        raise _Wrong(_("This number is past 64 bits."))
    return UInt(value)


def _string(text: str) -> str:
    prefix, body, offset = _unquoted(text)
    value = body if "r" in prefix else _unescaped(body, offset)
    try:
        # Two escapes may be the halves of one character.
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise _Wrong(_("This text holds half a character.")) from None


def _bytes(text: str) -> bytes:
    prefix, body, offset = _unquoted(text)
    if "r" in prefix:
        return _encoded(body)
    parts, at = [], 0
    for found in _ESCAPE.finditer(body):
        parts += [_encoded(body[at : found.start()]), _byte(found, offset)]
        at = found.end()
    return b"".join([*parts, _encoded(body[at:])])


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _Wrong(_("This text holds half a character.")) from None


def _unquoted(text: str) -> tuple[str, str, int]:
    found = _QUOTED.fullmatch(text)
    if found is None:
        raise _Wrong(_("The text that begins here does not end."))
    return found[1].lower(), found[3], found.start(3)


def _unescaped(body: str, offset: int) -> str:
    return _ESCAPE.sub(lambda found: _character(found, offset), body)


def _character(found: re.Match[str], offset: int) -> str:
    if found["sign"]:
        return _SIGNS.get(found["sign"], found["sign"])
    code = _code(found)
    if code is None or code > 0x10FFFF:
        raise _Wrong(_("This escape is not known."), offset + found.start())
    return chr(code)


def _byte(found: re.Match[str], offset: int) -> bytes:
    if found["sign"]:
        return _SIGNS.get(found["sign"], found["sign"]).encode()
    code = _code(found)
    if code is None or found["short"] or found["long"]:
        raise _Wrong(_("This escape is not known in bytes."), offset + found.start())
    return bytes([code])


def _code(found: re.Match[str]) -> int | None:
    if found["octal"]:
        return int(found["octal"], 8)
    digits = found["byte"] or found["short"] or found["long"]
    return int(digits, 16) if digits else None


def _float(text: str) -> float:
    value = float(text)
    if value == float("inf"):
        raise _Wrong(_("This number is too large."))
    return value


_VALUES: dict[str, Any] = {
    "INT_LIT": _int,
    "UINT_LIT": _uint,
    "FLOAT_LIT": _float,
    "STRING_LIT": _string,
    "MLSTRING_LIT": _string,
    "BYTES_LIT": _bytes,
    "BOOL_LIT": lambda text: text == "true",
    "NULL_LIT": lambda text: None,
}
