"""Jobs beside bare django-tasks-db and bare Celery, and their events before many listeners, in one run a database."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.gateway.databases import database
from benchmarks.processes import ROOT, allow_many_connections
from benchmarks.routes.command import POSTGRES, answers

REDIS = "redis://127.0.0.1:6379/13"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, and less of everything")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    parser.add_argument("--jobs", type=int, default=300, help="jobs in the queue when a worker starts (300)")
    parser.add_argument("--starts", type=int, default=40, help="jobs one by one in a round (40)")
    parser.add_argument("--listeners", type=int, default=500, help="listeners at once (500)")
    parser.add_argument("--database", default="sqlite,postgres", help="sqlite, postgres (both)")
    parser.add_argument("--measure", default="statements,queue,events", help="statements, queue, events (all)")
    parser.add_argument("--only", default="", help="contenders by parts of their names, separated by commas")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.jobs, chosen.starts, chosen.listeners = 1, 100, 15, 100
    return chosen


def main() -> None:
    """Run it; exits with 1 where a goal is missed, with 2 where nothing could be measured."""
    chosen, worst = arguments(), 0
    broker = os.environ.get("REDIS_URL", REDIS)
    if not answers(broker):
        print(f"No Redis answers at {broker}: name one in REDIS_URL. It is Celery's broker.")
        sys.exit(2)
    allow_many_connections()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended too
    with tempfile.TemporaryDirectory(prefix="automate-bench-") as folder:
        for kind in chosen.database.split(","):
            url = os.environ.get("DATABASE_URL", POSTGRES) if kind == "postgres" else ""
            if url and not answers(url):
                print(f"SKIPPED PostgreSQL: nothing answers at {url}; name one in DATABASE_URL.")
                continue
            worst = max(worst, measure(chosen, url, broker, Path(folder)))
    sys.exit(worst)


def measure(chosen: argparse.Namespace, url: str, broker: str, folder: Path) -> int:
    """All measurements on a new database, in a process of their own; its exit status."""
    with database(url, folder) as address:
        env = {
            "DJANGO_SETTINGS_MODULE": "benchmarks.jobs.settings",
            "BENCH_DATABASE": address,
            "BENCH_BROKER": broker,
            "BENCH_NOTES": str(folder / "notes"),
            "BENCH_FOLDER": str(folder),
            "BENCH_RUN": str(os.getpid()),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "benchmarks.jobs.measure", json.dumps(vars(chosen))]
        with subprocess.Popen(command, env=os.environ | env, cwd=ROOT) as process:
            try:
                return process.wait()
            finally:
                # It ends its workers, and so must be told politely.
                process.terminate()
