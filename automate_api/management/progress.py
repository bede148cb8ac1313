"""A progress bar for commands: drawn in a terminal, silent elsewhere."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from django.core.management.base import OutputWrapper

T = TypeVar("T")

_WIDTH = 30
_SECONDS_BETWEEN_DRAWS = 0.1


def progress(
    items: Iterable[T], *, total: int, label: str, stream: OutputWrapper, size: Callable[[T], int] = lambda item: 1
) -> Iterator[T]:
    """Yield `items` while drawing how many of `total` are done on `stream`, if that is a terminal.

    `size` tells for how many each item counts.
    """
    if not stream.isatty():
        yield from items
        return
    drawn, done = 0.0, 0
    for item in items:
        if time.monotonic() - drawn >= _SECONDS_BETWEEN_DRAWS:
            drawn = time.monotonic()
            _draw(done, total, label, stream)
        yield item
        done += size(item)
    _draw(total, total, label, stream)
    stream.write("")


def _draw(done: int, total: int, label: str, stream: OutputWrapper) -> None:
    filled = min(_WIDTH, _WIDTH * done // total) if total else _WIDTH
    stream.write(f"\r{label} [{'#' * filled}{'.' * (_WIDTH - filled)}] {done}/{total}", ending="")
    stream.flush()
