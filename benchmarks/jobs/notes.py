"""When work was begun: a line a task in a file that every process appends to."""

import os
import time
from functools import cache
from pathlib import Path


@cache
def _file() -> int:
    return os.open(os.environ["BENCH_NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def note(key: str) -> None:
    """Note that what is called `key` begins now."""
    os.write(_file(), f"{key} {time.time()}\n".encode())


class Notes:
    """Reads what is noted."""

    def __init__(self) -> None:
        note("none")
        self._file = Path(os.environ["BENCH_NOTES"]).open(encoding="ascii")  # noqa: SIM115 - open as long as the process
        self._rest = ""
        self._begun: dict[str, float] = {}

    def wait(self, keys: set[str], patience: float) -> dict[str, float]:
        """When each of `keys` began.

        Raises:
            RuntimeError: not all had, after `patience` seconds.
        """
        end = time.monotonic() + patience
        while missing := [key for key in keys if key not in self._begun]:
            if time.monotonic() > end:
                raise RuntimeError(f"{len(missing)} of {len(keys)} tasks have not begun.")
            if not self._read():
                time.sleep(0.0005)
        return {key: self._begun[key] for key in keys}

    def _read(self) -> bool:
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        for line in lines:
            key, _space, moment = line.partition(" ")
            self._begun.setdefault(key, float(moment))
        return bool(lines)
