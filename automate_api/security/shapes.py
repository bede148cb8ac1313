"""What secrets look like in texts: how a known one is spelled, and what tells one that nobody has named."""

import base64
import json
import re
import string
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

# Shorter ones would tear holes into ordinary text and keep nothing secret.
_SHORTEST_SECRET = 4
#: The least that is taken for the beginning of a secret where a text breaks off.
SHORTEST_BEGINNING = 12

# Where a word ends, and a key may begin: also after an escape whose last letter is none of the text's, as of a line
# break in JSON or of an equals sign in a URL. They follow the two letters, so that a search looks for those.
_SK = (
    r"sk(?:(?<![^\W\d_]sk)|(?<=\\[bfnrt]sk)|(?<=%[0-9A-Fa-f][A-Fa-f]sk)|(?<=\\u[0-9A-Fa-f]{3}[A-Fa-f]sk))"
    r"(?:-|%2[Dd]|\\{1,8}u002[Dd])"
)
_BEARER = r"bearer(?:(?<![^\W\d_]bearer)|(?<=\\[bfnrt]bearer)|(?<=%[0-9a-f][a-f]bearer)|(?<=\\u[0-9a-f]{3}[a-f]bearer))"
# JSON and URLs write some of a token's characters by others; JSON in JSON has more backslashes.
_TOKEN = r"(?:[A-Za-z0-9._~+/-]|%[0-9A-Fa-f]{2}|\\{1,8}(?:/|u00[0-9A-Fa-f]{2}))"  # noqa: S105 - of a token's letters

#: What is a secret whoever has it.
BUILT_IN = (
    re.compile(r"aak_[0-9a-f]{32}_[A-Za-z0-9_-]+"),
    # The last: one that breaks off at the text's end.
    re.compile(_SK + rf"(?:[A-Za-z0-9_-]{{16,}}|[A-Za-z0-9_-]{{{SHORTEST_BEGINNING},}}\Z)"),
    # A token has a digit or is long; "bearer instruments" stays readable. No look ahead goes far, or many would.
    re.compile(
        _BEARER + rf"(?:\s+|\+|%20)(?:{_TOKEN}{{20,}}|(?=\S{{0,40}}\d){_TOKEN}{{8,}}"
        rf"|(?-i:(?=\S{{0,20}}[A-Z])){_TOKEN}{{{SHORTEST_BEGINNING},}}\Z)=*",
        re.IGNORECASE,
    ),
)
# A text's end where a match of each may begin or go on; also in a word, which a secret taken out before may have ended.
_BEGUN_KEYS = (
    re.compile(r"a(?:a(?:k(?:_(?:[0-9a-f]{0,31}|[0-9a-f]{32}(?:_[A-Za-z0-9_-]*)?))?)?)?\Z"),
    re.compile(r"s(?:k(?:(?:-|%[0-9A-Fa-f]{0,2}|\\{1,8}(?:u[0-9A-Fa-f]{0,4})?)[A-Za-z0-9_-]*)?)?\Z"),
)
_BEGUN_TOKEN = re.compile(r"b(?:e(?:a(?:r(?:e(?:r(?:[\s+%]\s*\S*)?)?)?)?)?)?\Z", re.IGNORECASE)
_KEY_LETTERS = string.ascii_letters + string.digits + "_-"
# The longest that stands before a key's letters, `sk\u002d` with more backslashes, or before a token's, `bearer%`.
_LONGEST_MARK = 16
#: The characters before a text that decide whether a secret begins with it: the longest escape.
LOOK_BACK = 6


class Spellings(tuple[str, ...]):
    """Secrets in all their spellings, the longest first."""

    __slots__ = ()


def spellings(secrets: Iterable[str]) -> Spellings:
    """Each secret plainly and as JSON, URLs and base64 write it; ones under four characters are left out."""
    if isinstance(secrets, Spellings):
        return secrets
    found: set[str] = set()
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            in_json, in_url = json.dumps(secret)[1:-1], quote(secret, safe="")
            found |= {secret, repr(secret)[1:-1], in_json, in_json.replace("/", "\\/")}
            found |= {in_url, quote_plus(secret), re.sub("%..", _in_lower_case, in_url)}
            found |= set(_in_base64(secret.encode(errors="surrogatepass")))
    return Spellings(sorted(found, key=len, reverse=True))


def _in_lower_case(match: re.Match[str]) -> str:
    return match[0].lower()


def _in_base64(secret: bytes) -> Iterator[str]:
    """As basic authentication writes it, and the part of it that is the same whatever stands before and after it."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret).decode()
        kept = text.rstrip("=")
        # The first characters have bits of what stands before, and the last of what follows.
        core = kept[(0, 2, 3)[before] : len(kept) - (kept != text)]
        for spelled in (text, core) if not before else (core,):
            if len(spelled) >= _SHORTEST_SECRET:
                yield spelled
                yield spelled.translate(_URL_SAFE)


_URL_SAFE = str.maketrans("+/", "-_")


def begun(text: str) -> int:
    """How many characters at the end of `text` may belong to what is a secret whoever has it, and is not complete."""
    keys = _end(text, len(text.rstrip(_KEY_LETTERS)))
    before_word = text.removesuffix(text.rsplit(maxsplit=1)[-1]) if text and not text[-1].isspace() else text
    token = _end(text, len(before_word.rstrip()))
    found = [(keys, pattern.search(keys)) for pattern in _BEGUN_KEYS] + [(token, _BEGUN_TOKEN.search(token))]
    return max((len(end) - match.start() for end, match in found if match), default=0)


def _end(text: str, place: int) -> str:
    """`text` from where something may begin that reaches its end; all that does not reach it would be tried in vain."""
    return text[max(0, place - _LONGEST_MARK) :]


def overlap(text: str, secret: str) -> int:
    """The length of the longest end of `text` that is a beginning of `secret`, and not all of it."""
    size = min(len(text), len(secret) - 1)
    # Most beginnings end in another letter.
    while size > 0 and (size := secret.rfind(text[-1], 0, size) + 1) and not text.endswith(secret[:size]):
        size -= 1
    return size
