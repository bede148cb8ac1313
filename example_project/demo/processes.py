"""The demo's child processes. Each ends with the demo, however that ends: its standard input does."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from example_project.demo.console import DemoError

GRACE = 10  # seconds a child has to end by itself
READY = 60  # seconds a server has to answer


def free_to_bind(port: int) -> None:
    """DemoError where 127.0.0.1:`port` cannot be served on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            other = port + 1 if port < 65535 else 8000
            raise DemoError(
                f"Port {port} of 127.0.0.1 cannot be used ({error.strerror}). Choose another: make demo PORT={other}"
            ) from error


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented."""
    return "\n".join(f"      {line}" for line in log.read_text(errors="replace").splitlines()[-lines:])


@contextmanager
def running(
    module: str, *args: str, log: Path, env: Mapping[str, str], read: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """`python -m module args` for the time of the block. Its errors go to `log`; `read`: its output to the caller."""
    with log.open("w") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own module and words
            [sys.executable, "-m", module, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if read else errors,
            stderr=errors,
            text=True,
            env={**os.environ, **env},
            start_new_session=True,  # Ctrl-C is the demo's to hear, which then ends its children in order
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Let a child end, and make it end when it takes too long."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def manage(*args: str, env: Mapping[str, str]) -> str:
    """Run a command of `manage.py` and return what it prints; DemoError with its errors when it fails."""
    script = Path(__file__).resolve().parent.parent / "manage.py"
    ran = subprocess.run(  # noqa: S603 - our own script and words
        [sys.executable, str(script), *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        check=False,
    )
    if ran.returncode:
        raise DemoError(f"manage.py {' '.join(args)} failed:\n{ran.stderr.strip()}")
    return ran.stdout


def wait_for_port(process: subprocess.Popen[str], port: int, log: Path) -> None:
    """Return when 127.0.0.1:`port` accepts connections; DemoError when the process ends first, or never does."""
    deadline = time.monotonic() + READY
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoError(f"The server ended with code {process.returncode}; {log} says:\n{tail(log)}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise DemoError(f"The server did not answer within {READY} s; see {log}")
