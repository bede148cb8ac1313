"""The routes of a host and of the package, beside plain REST framework and django-ninja, in one run a database."""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.gateway.databases import database
from benchmarks.processes import ROOT

POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
REDIS = "redis://127.0.0.1:6379/9"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routes", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few short rounds, and fewer rows")
    parser.add_argument("--rounds", type=int, default=21, help="interleaved rounds of each measurement (21)")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of each table (10000)")
    parser.add_argument("--database", default="sqlite,postgres", help="sqlite, postgres (both)")
    parser.add_argument("--measure", default="", help="measurements by parts of their names, separated by commas")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.rows = 5, 2_000
    return chosen


def main() -> None:
    """Run it; exits with 1 where a goal is missed, with 2 where nothing could be measured."""
    chosen = arguments()
    redis = os.environ.get("REDIS_URL", REDIS)
    if not answers(redis):
        print(f"No Redis answers at {redis}: name one in REDIS_URL. Limits are counted there.")
        sys.exit(2)
    worst = 0
    with tempfile.TemporaryDirectory(prefix="automate-bench-") as folder:
        for kind in chosen.database.split(","):
            url = os.environ.get("DATABASE_URL", POSTGRES) if kind == "postgres" else ""
            if url and not answers(url):
                print(f"SKIPPED PostgreSQL: nothing answers at {url}; name one in DATABASE_URL.")
                continue
            worst = max(worst, measure(chosen, url, redis, Path(folder)))
    sys.exit(worst)


def measure(chosen: argparse.Namespace, url: str, redis: str, folder: Path) -> int:
    """All measurements on a new database, in a process of their own; its exit status."""
    with database(url, folder) as address:
        env = {
            "DJANGO_SETTINGS_MODULE": "benchmarks.routes.settings",
            "BENCH_DATABASE": address,
            "BENCH_REDIS": redis,
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "benchmarks.routes.measure", str(chosen.rounds), str(chosen.rows)]
        return subprocess.run([*command, chosen.measure], env=os.environ | env, cwd=ROOT, check=False).returncode


def answers(url: str) -> bool:
    """Whether anything listens at the URL's host and port."""
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((parts.hostname or "127.0.0.1", parts.port or 5432)) == 0
