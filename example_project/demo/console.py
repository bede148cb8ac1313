"""What the demo prints."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TERMINAL = sys.stdout.isatty()


class DemoError(Exception):
    """A step did not go as expected. Its message names the remedy where there is one."""


def styled(text: str, code: str) -> str:
    """`text` in a style of ECMA-48, in a terminal."""
    return f"\x1b[{code}m{text}\x1b[0m" if TERMINAL else text


def say(text: str = "") -> None:
    """One line, at once."""
    print(text, flush=True)


def heading(text: str) -> None:
    """The title of a step."""
    say()
    say(styled(f"==> {text}", "1"))


def detail(text: str) -> None:
    """A line below a step."""
    say(f"    {text}")


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Tell what is being waited for: with running seconds in a terminal, else in one line."""
    started, done = time.monotonic(), threading.Event()

    def tick() -> None:
        while not done.wait(0.1):
            print(f"\r    {text} … {time.monotonic() - started:.1f} s", end="", flush=True)

    ticker = threading.Thread(target=tick, daemon=True) if TERMINAL else None
    if ticker:
        ticker.start()
    try:
        yield
    finally:
        done.set()
        if ticker:
            ticker.join()
            print("\r\x1b[K", end="")
    detail(f"{text}: {time.monotonic() - started:.1f} s")
