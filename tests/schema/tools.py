"""Tools that make clients, installed once into a folder that is kept: `.test-data/clients/`.

Where they are not there and cannot be installed, their tests are skipped, or fail with
`AUTOMATE_TEST_REQUIRE_SERVICES=1`.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.conftest import REQUIRED
from tests.settings import SCRATCH

CLIENTS = Path(__file__).parent / "clients"
_MANY_WORDS = 300


def run(*command: str | Path, cwd: Path, seconds: float = 180, **env: str) -> str:
    """What a command prints; the test fails with its words where it does."""
    done = _run(*command, cwd=cwd, seconds=seconds, **env)
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}", pytrace=False)
    return done.stdout


def node_tools() -> Path:
    """A folder whose `node_modules` has what `clients/package.json` names."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        _leave_out("node and npm are not here (apt install nodejs npm)")

    def install(folder: Path) -> subprocess.CompletedProcess[str]:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(CLIENTS / name, folder)
        return _run("npm", "ci", "--no-audit", "--no-fund", "--fetch-retries=1", cwd=folder)

    return _kept("node", ["package.json", "package-lock.json"], install)


def python_tools() -> Path:
    """A folder whose `bin` has what `clients/requirements.txt` names."""

    def install(folder: Path) -> subprocess.CompletedProcess[str]:
        made = _run(sys.executable, "-m", "venv", folder, cwd=folder)
        if made.returncode:
            return made
        pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1")
        return _run(folder / "bin" / "python", *pip, "--requirement", CLIENTS / "requirements.txt", cwd=folder)

    return _kept("python", ["requirements.txt"], install)


def _kept(kind: str, names: list[str], install: Callable[[Path], subprocess.CompletedProcess[str]]) -> Path:
    described = b"".join((CLIENTS / name).read_bytes() for name in names) + platform.python_version().encode()
    folder = SCRATCH / "clients" / f"{kind}-{hashlib.sha256(described).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        # Several runs share a checkout.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".installed").exists():
            done = install(folder)
            if done.returncode:
                lines = [line for line in (done.stderr or done.stdout).splitlines() if "error" in line.lower()]
                _leave_out(f"its tools cannot be installed: {' '.join(lines)[:_MANY_WORDS]}")
            (folder / ".installed").touch()
    return folder


def _run(*command: str | Path, cwd: Path, seconds: float = 300, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=seconds
    )


def _leave_out(reason: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
