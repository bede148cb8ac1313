"""Page 1,000 of a list of executions beside page 1, on PostgreSQL."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.gateway.databases import database
from benchmarks.processes import ROOT
from benchmarks.routes.command import POSTGRES, REDIS, answers


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="executions in the tenant (1000000)")
    parser.add_argument("--page", type=int, default=1_000, help="the page to compare with the first (1000)")
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds (15)")
    parser.add_argument("--explain", action="store_true", help="print PostgreSQL's plans")
    return parser.parse_args()


def main() -> None:
    """Run it; exits with 1 where a goal is missed, with 2 where nothing could be measured."""
    chosen = arguments()
    url = os.environ.get("DATABASE_URL", POSTGRES)
    redis = os.environ.get("REDIS_URL", REDIS)
    for service, address in (("PostgreSQL", url), ("Redis", redis)):
        if not answers(address):
            print(f"No {service} answers at {address}: name one in DATABASE_URL or REDIS_URL.")
            sys.exit(2)
    with tempfile.TemporaryDirectory(prefix="automate-bench-") as folder, database(url, Path(folder)) as address:
        env = {
            "DJANGO_SETTINGS_MODULE": "benchmarks.routes.settings",
            "BENCH_DATABASE": address,
            "BENCH_REDIS": redis,
            "PYTHONPATH": str(ROOT),
        }
        numbers = [str(chosen.rows), str(chosen.page), str(chosen.rounds), str(int(chosen.explain))]
        command = [sys.executable, "-m", "benchmarks.pages.measure", *numbers]
        status = subprocess.run(command, env=os.environ | env, cwd=ROOT, check=False).returncode
    sys.exit(status)
