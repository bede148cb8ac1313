"""Events that start workflows of one step, beside events that a handler takes, in one run a database."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.gateway.databases import database
from benchmarks.jobs.command import REDIS
from benchmarks.processes import ROOT
from benchmarks.routes.command import POSTGRES, answers


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workflows", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds, and less of everything")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (7)")
    parser.add_argument("--batches", type=int, default=20, help="requests in a round (20)")
    parser.add_argument("--events", type=int, default=25, help="events in a request (25)")
    parser.add_argument("--database", default="sqlite,postgres", help="sqlite, postgres (both)")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.batches = 2, 8
    return chosen


def main() -> None:
    """Run it; exits with 2 where nothing could be measured."""
    chosen, worst = arguments(), 0
    broker = os.environ.get("REDIS_URL", REDIS)
    if not answers(broker):
        print(f"No Redis answers at {broker}: name one in REDIS_URL. It is Celery's broker.")
        sys.exit(2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the worker is ended too
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
            "DJANGO_SETTINGS_MODULE": "benchmarks.workflows.settings",
            "BENCH_DATABASE": address,
            "BENCH_BROKER": broker,
            "BENCH_NOTES": str(folder / "notes"),
            "BENCH_FOLDER": str(folder),
            "BENCH_RUN": str(os.getpid()),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "benchmarks.workflows.measure", json.dumps(vars(chosen))]
        with subprocess.Popen(command, env=os.environ | env, cwd=ROOT) as process:
            try:
                return process.wait()
            finally:
                # It ends its worker, and so must be told politely.
                process.terminate()
