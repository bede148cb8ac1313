"""A database for one run of the benchmark, filled and afterwards thrown away."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from benchmarks.processes import ROOT


@contextmanager
def database(url: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database: a new one on the PostgreSQL server of `url`, or a SQLite file in `folder`."""
    if not url:
        yield f"sqlite:///{folder}/bench.sqlite3"
        return
    import psycopg  # noqa: PLC0415 - only where PostgreSQL is asked for

    name = f"automate_bench_{os.getpid()}"
    with psycopg.connect(url.replace("postgres://", "postgresql://", 1), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def seed(env: dict[str, str], models: list[str]) -> str:
    """Fill it by `benchmarks.host.seed`; the API key."""
    return run("benchmarks.host.seed", env, models).strip()


def stored(env: dict[str, str]) -> dict[str, int]:
    """What it holds, by `benchmarks.host.stored`."""
    rows: dict[str, int] = json.loads(run("benchmarks.host.stored", env, []))
    return rows


def run(module: str, env: dict[str, str], arguments: list[str]) -> str:
    """What `python -m module` prints; exits where it fails."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, env=os.environ | env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{module} failed:\n{done.stderr}")
    return done.stdout
