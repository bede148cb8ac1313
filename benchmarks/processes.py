"""Servers in processes of their own, on 127.0.0.1, ended by their process ids."""

import os
import random
import resource
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

ROOT = Path(__file__).resolve().parent.parent

_MEBIBYTE = 2**20


class DidNotStart(Exception):
    """A server ended, or answered nothing in time; its log is in the message."""


def allow_many_connections() -> None:
    """Raise this process's limit of open files, which its children inherit, as far as may be."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))


def free_port() -> int:
    """A port that nothing listens on now, below those that the system hands out by itself."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Server:
    """A running server, as a context manager that ends it with all its children.

    Args:
        command: its command line.
        port: where it listens when it is ready.
        log: a file for its output.
        extra: what its environment has beside ours.
    """

    def __init__(self, command: Sequence[str], port: int, log: Path, extra: Mapping[str, str] | None = None) -> None:
        self._log = log
        env = {**os.environ, "PYTHONPATH": str(ROOT), **(extra or {})}
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                list(command), env=env, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.port = port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def wait(self, seconds: float) -> None:
        """Wait until it listens.

        Raises:
            DidNotStart: it has ended, or `seconds` have passed.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._popen.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise DidNotStart(self._log.read_text(errors="replace")[-2000:])

    def stop(self) -> None:
        """End it: politely first."""
        family = self._family()
        self._popen.terminate()
        _gone, alive = psutil.wait_procs(family, timeout=10)
        for process in alive:
            process.kill()
        self._popen.wait()

    @property
    def memory(self) -> float:
        """MiB that it and its children have resident now; pages they share are counted for each."""
        return sum(process.memory_info().rss for process in self._family()) / _MEBIBYTE

    @property
    def cpu(self) -> float:
        """Seconds of processor that it and its children have used."""
        return sum(sum(process.cpu_times()[:2]) for process in self._family())

    def _family(self) -> list[psutil.Process]:
        if self._popen.poll() is not None:
            return []
        parent = psutil.Process(self._popen.pid)
        return [parent, *parent.children(recursive=True)]
