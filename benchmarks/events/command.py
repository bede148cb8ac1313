"""Events beside plain REST framework and django-ninja, by one server, in one run a database."""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

import uvloop

from benchmarks.events import report
from benchmarks.events.contenders import Scenario, scenarios
from benchmarks.events.measure import Figures, Measuring, expected
from benchmarks.gateway.databases import database, run
from benchmarks.processes import ROOT, Server, free_port
from benchmarks.routes.command import POSTGRES, REDIS, answers

_SERVER = (
    "-m gunicorn benchmarks.events.wsgi -b 127.0.0.1:{port} -w 1 -k gthread --threads 8 --keep-alive 600 --timeout 120"
)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.events", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few short rounds")
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds of each measurement (15)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of each contender in a round (0.3)")
    parser.add_argument("--database", default="sqlite,postgres", help="sqlite, postgres (both)")
    parser.add_argument("--measure", default="", help="measurements by parts of their names, separated by semicolons")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.seconds = 3, 0.1
    return chosen


def main() -> None:
    """Run it; exits with 1 where a goal is missed, with 2 where nothing could be measured."""
    chosen, met = arguments(), True
    redis = os.environ.get("REDIS_URL", REDIS)
    if not answers(redis):
        print(f"No Redis answers at {redis}: name one in REDIS_URL. Limits are counted there.")
        sys.exit(2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is ended too
    for kind in chosen.database.split(","):
        url = os.environ.get("DATABASE_URL", POSTGRES) if kind == "postgres" else ""
        if url and not answers(url):
            print(f"SKIPPED PostgreSQL: nothing answers at {url}; name one in DATABASE_URL.")
            continue
        with tempfile.TemporaryDirectory(prefix="automate-bench-") as folder:
            met &= measure(chosen, url, redis, Path(folder))
    sys.exit(not met)


def measure(chosen: argparse.Namespace, url: str, redis: str, folder: Path) -> bool:
    """All measurements on a new database; whether no goal is missed."""
    with database(url, folder) as address:
        env = {
            "DJANGO_SETTINGS_MODULE": "benchmarks.events.settings",
            "BENCH_DATABASE": address,
            "BENCH_REDIS": redis,
            "PYTHONPATH": str(ROOT),
        }
        keys = json.loads(run("benchmarks.events.seed", env, []))
        print(f"\n{'=' * 20} {address.partition(':')[0]}, Python {sys.version.split()[0]}, {os.cpu_count()} processors")
        wanted = [each for each in scenarios() if any(part in each.name for part in chosen.measure.split(";"))]
        found = served(chosen, env, keys, wanted, folder)
        stored = json.loads(run("benchmarks.events.stored", env, []))
    lines = [line for each, figures in zip(wanted, found, strict=True) for line in report.lines_of(each, figures)]
    return report.print_goals([*lines, report.line_of_rows(expected(wanted, found), stored)])


def served(
    chosen: argparse.Namespace, env: dict[str, str], keys: dict[str, str], wanted: list[Scenario], folder: Path
) -> list[dict[str, Figures]]:
    """Start the server and measure one scenario after the other, printing each."""
    port, found = free_port(), []
    command = [sys.executable, *_SERVER.format(port=port).split(), "--log-level", "error"]
    with Server(command, port, folder / "server.log", env) as server:
        server.wait(60)
        measuring = Measuring(server, keys, rounds=chosen.rounds, seconds=chosen.seconds)
        for place, scenario in enumerate(wanted):
            found.append(uvloop.run(measuring.measure(place, scenario)))
            report.print_table(scenario, found[-1])
    return found
