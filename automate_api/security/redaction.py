"""Taking secrets out of what is stored, logged or shown.

Three things are taken out: the very secrets a caller names (a provider's key, also as JSON, URLs and headers spell it);
whatever matches a pattern: keys of this package, keys of the `sk-` family, bearer tokens, and the host's own
`AUTOMATE_API_REDACT_PATTERNS`; and what the host's `AUTOMATE_API_REDACTOR` takes out of what remains. Of a text that is
JSON itself they are taken out as its strings read. `shapes` has the spellings and the patterns.
"""

import json
import logging
import re
import traceback
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import TypeVar, cast

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from automate_api.conf import settings
from automate_api.security.shapes import BUILT_IN, SHORTEST_BEGINNING, begun, overlap, spellings

logger = logging.getLogger(__name__)

Value = TypeVar("Value")

REDACTED = "[redacted]"

# What this thread or task has had in clear while serving the present request, the latest last.
_revealed: ContextVar[tuple[str, ...]] = ContextVar("automate_api_revealed", default=())
_MOST_REVEALED = 32

#: Where a host has patterns of its own: the characters that a match may have and be recognized in pieces.
LONGEST_MATCH = 512


def redact(value: Value, secrets: Iterable[str] = (), *, also: Callable[[str], str] | None = None) -> Value:
    """`value` with every secret replaced by `[redacted]`, in the same shape; `value` itself where it holds none.

    Args:
        value: a string, or lists, tuples and dicts of them at any depth; keys are redacted too, and those that would
            become the same are numbered. Anything else that JSON can hold is returned as it is.
        secrets: what must not appear in any of its usual spellings; ones under four characters are ignored.
        also: what else is to be made of each string afterwards.

    Raises:
        ImproperlyConfigured: a pattern in `AUTOMATE_API_REDACT_PATTERNS` is not a regular expression.
    """
    patterns = (*BUILT_IN, *_compiled(tuple(settings.redact_patterns)))
    steps = tuple(step for step in (_hosts_redactor(settings.redactor), also) if step is not None)
    return cast("Value", _redacted(value, _Texts(spellings(secrets), patterns, steps)))


def unfinished(text: str, secrets: Iterable[str] = ()) -> int:
    """How many characters at the end of `text` may belong to what `redact` takes out once more text has come.

    Of a pattern or a redactor of the host's own nobody knows; where there is one, as many as `LONGEST_MATCH` at least.
    """
    named = (overlap(text, secret) for secret in spellings(secrets))
    unknown = min(len(text), LONGEST_MATCH) if settings.redact_patterns or settings.redactor else 0
    return max((unknown, begun(text), *named))


def redact_exception(exc: BaseException, secrets: Iterable[str] = ()) -> str:
    """The traceback of `exc` with its causes, as text without `secrets` and without those revealed in this context.

    Logging the exception itself would print its message and those of its causes, and either may quote a header or a
    request. Where a pattern in `AUTOMATE_API_REDACT_PATTERNS` cannot be applied, the traceback is withheld.
    """
    try:
        return redact("".join(traceback.format_exception(exc)).rstrip(), (*secrets, *_revealed.get()))
    except Exception:  # noqa: BLE001 - a broken redaction must neither leak nor hide the failure
        return f"{type(exc).__name__} (its traceback is withheld: AUTOMATE_API_REDACT_PATTERNS cannot be applied)"


def remember_revealed(secret: str) -> None:
    """Note that `secret` is now in clear in this context, so that no exception's text shows it."""
    if secret not in _revealed.get():
        _revealed.set((*_revealed.get(), secret)[-_MOST_REVEALED:])


def forget_revealed() -> None:
    """The request is over, and what it revealed is no longer about."""
    _revealed.set(())


# Of these a text may be JSON that has a string.
_BEGIN_JSON = ("{", "[", '"')


class _Texts(dict[str, str]):
    """Strings as they may be shown. Data repeats itself, and each string is looked at once."""

    def __init__(
        self, secrets: tuple[str, ...], patterns: tuple[re.Pattern[str], ...], steps: tuple[Callable[[str], str], ...]
    ) -> None:
        super().__init__()
        self._secrets, self._patterns, self._steps = secrets, patterns, steps

    def __missing__(self, text: str) -> str:
        # First as a whole: what is taken out of it would leave the rest of an escape.
        shown = self._document(text) if "\\" in text and text.lstrip()[:1] in _BEGIN_JSON else text
        for secret in self._secrets:
            shown = shown.replace(secret, REDACTED)
        for secret in self._secrets:
            # It breaks off.
            if (size := overlap(shown, secret)) >= SHORTEST_BEGINNING:
                shown = shown[:-size] + REDACTED
        for pattern in self._patterns:
            shown = pattern.sub(REDACTED, shown)
        for step in self._steps:
            shown = step(shown)
        self[text] = shown
        return shown

    def _document(self, text: str) -> str:
        """`text` as it is shown where it is JSON that says by escapes what must not be shown."""
        try:
            value = json.loads(text)
            shown = _redacted(value, self)
            return text if shown is value else json.dumps(shown, ensure_ascii=False, allow_nan=False)
        except RecursionError:
            # Nobody can tell what it says.
            return REDACTED
        except ValueError:
            return text


def _redacted(value: object, texts: _Texts) -> object:
    if isinstance(value, str):
        return texts[value]
    shown: object
    if isinstance(value, dict):
        names = [texts[key] if isinstance(key, str) else key for key in value]
        items = [_redacted(item, texts) for item in value.values()]
        shown = dict(zip(names, items, strict=True))
        if len(shown) < len(value):
            shown = dict(zip(_told_apart(names), items, strict=True))
    elif isinstance(value, list | tuple):
        shown = type(value)([_redacted(item, texts) for item in value])
    else:
        return value
    # What holds no secret need not be kept twice.
    return value if shown == value else shown


def _told_apart(names: list[object]) -> list[object]:
    """Keys of a dict, of which several would be shown alike: all but the first of them get a number, in their order."""
    found: dict[object, None] = {}
    taken, numbers = set(names), dict.fromkeys(names, 1)
    for shown in names:
        name = shown
        while name in found or (name != shown and name in taken):
            numbers[shown] += 1
            name = f"{shown} {numbers[shown]}"
        found[name] = None
    return list(found)


def _hosts_redactor(path: str | None) -> Callable[[str], str] | None:
    """What the host has named, closed where it fails: a text that it does not return a string for is withheld."""
    return None if path is None else partial(_asked, path)


def _asked(path: str, text: str) -> str:
    if not text:
        return text
    try:
        shown = import_string(path)(text)
    except Exception as exc:  # noqa: BLE001 - it is the host's, and whatever it raises may quote the text
        _complain(path, type(exc).__name__)
        return REDACTED
    if isinstance(shown, str):
        return shown
    _complain(path, f"returned {type(shown).__name__}")
    return REDACTED


@lru_cache(maxsize=64)
def _complain(path: str, problem: str) -> None:
    """Log this once, and not for every text."""
    logger.error("AUTOMATE_API_REDACTOR, %s, failed (%s). What it was asked about is withheld.", path, problem)


@lru_cache(maxsize=8)
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(re.compile(pattern) for pattern in patterns)
    except re.error as exc:
        message = f"AUTOMATE_API_REDACT_PATTERNS has a pattern that is not a regular expression: {exc}"
        raise ImproperlyConfigured(message) from exc
