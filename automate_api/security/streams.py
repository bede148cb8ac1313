"""Redacting a text that comes in pieces, each of which is stored by itself."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from automate_api.security.redaction import REDACTED, redact, unfinished
from automate_api.security.shapes import LOOK_BACK, spellings

#: A text of which nothing can be told for so many characters is withheld up to the next space.
LONGEST_HELD = 8192

# Pieces are taken in parts of this size, so that the work for each character is bounded.
_PART = 4096
_SPACES_TRIED, _STEP, _REACH = 16, 64, 1024
_SPACE = re.compile(r"\s")


class StreamRedactor:
    """Redacts a text that arrives piece by piece as `redact` does the whole, wherever it is split.

    The text's end is held back for as long as what is redacted may begin there. What comes before is let through only
    where redacting both parts by themselves says the same as redacting them together.

    Args:
        secrets, also: as `redact` takes them.
    """

    def __init__(self, secrets: Iterable[str] = (), *, also: Callable[[str], str] | None = None) -> None:
        self._secrets, self._also = spellings(secrets), also
        # `_before` is what was let through last: patterns look back for the edge of a word.
        self._held = self._before = ""
        self._is_withholding = False

    def feed(self, piece: str) -> str:
        """What of the text so far may be stored and has not been let through."""
        return "".join(self._fed(piece[start : start + _PART]) for start in range(0, len(piece), _PART))

    def flush(self) -> str:
        """What was held back, at the text's end; another text may follow."""
        rest = self._redacted(self._held, self._before)
        self._held, self._before, self._is_withholding = "", "", False
        return rest

    def _fed(self, part: str) -> str:
        if self._is_withholding:
            part = self._resumed(part)
        shown = self._let_through(self._held + part)
        if len(self._held) <= LONGEST_HELD:
            return shown
        self._held, self._before, self._is_withholding = "", "", True
        return shown + REDACTED

    def _resumed(self, part: str) -> str:
        space = _SPACE.search(part)
        if space is None:
            return ""
        self._is_withholding = False
        return part[space.start() :]

    def _let_through(self, text: str) -> str:
        whole = self._redacted(text, self._before)
        for place in _places(text, len(text) - unfinished(text, self._secrets)):
            shown = self._redacted(text[:place], self._before)
            last = (self._before + shown)[-LOOK_BACK:]
            if shown + self._redacted(text[place:], last) == whole:
                self._held, self._before = text[place:], last
                return shown
        self._held = text
        return ""

    def _redacted(self, text: str, before: str) -> str:
        """`text` as it is shown after `before`."""
        if not text:
            return ""
        shown, lead = self._redact(before + text), self._redact(before)
        return shown[len(lead) :] if shown.startswith(lead) else self._redact(text)

    def _redact(self, text: str) -> str:
        return redact(text, self._secrets, also=self._also) if text else ""


def _places(text: str, last: int) -> Iterator[int]:
    """Where `text` may be parted, at `last` or before, the most promising first."""
    places = [last, *islice((at for at in range(last - 1, 0, -1) if text[at].isspace()), _SPACES_TRIED)]
    return (place for place in (*places, *range(last - _STEP, last - _REACH, -_STEP)) if place > 0)
