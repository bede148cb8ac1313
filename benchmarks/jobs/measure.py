"""`python -m benchmarks.jobs.measure CHOSEN`, the command line as JSON: all on the database of the settings."""

import json
import os
import signal
import sys
from typing import Any

import django
from django.db import connection


def main(chosen: dict[str, Any]) -> bool:
    """Measure and print; whether no goal is missed."""
    from benchmarks.jobs import listening, report, statements, working  # noqa: PLC0415 - after django.setup()
    from benchmarks.jobs.seed import seed  # noqa: PLC0415

    print(f"\n{'=' * 20} {connection.vendor}, Python {sys.version.split()[0]}, Django {django.__version__}", flush=True)
    host, goals = seed(), []
    if "statements" in chosen["measure"]:
        report.print_statements(statements.counted(host))
    if "queue" in chosen["measure"]:
        everyone = working.everyone(host, [part.strip() for part in chosen["only"].split(",")])
        found = working.measure(everyone, rounds=chosen["rounds"], jobs=chosen["jobs"], starts=chosen["starts"])
        report.print_queue(everyone, found)
        goals = report.queue_goals(everyone, found)
    if "events" in chosen["measure"]:
        report.print_events(listening.measure(host, chosen["listeners"], channels) for channels in (1, 50))
    return report.print_goals(goals)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.jobs.settings")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    django.setup()
    sys.exit(not main(json.loads(sys.argv[1])))
