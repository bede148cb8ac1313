"""`python -m benchmarks.workflows.measure CHOSEN`, the command line as JSON: all on the database of the settings."""

import json
import os
import signal
import statistics
import sys
from typing import Any

import django
from django.db import connection

_NAME = 34


def main(chosen: dict[str, Any]) -> None:
    """Measure and print."""
    from benchmarks.workflows import statements, working  # noqa: PLC0415 - after django.setup()
    from benchmarks.workflows.posting import Poster  # noqa: PLC0415
    from benchmarks.workflows.seed import seed  # noqa: PLC0415

    print(f"\n{'=' * 20} {connection.vendor}, Python {sys.version.split()[0]}, Django {django.__version__}", flush=True)
    poster = Poster(seed())
    asked = {
        name: [statements.per_event(poster, kind, events=count) for count in (1, chosen["events"])]
        for name, kind in working.CONTENDERS.items()
    }
    for engine in working.engines():
        sizes = {name: chosen[name] for name in ("rounds", "batches", "events")}
        _print(engine.name, working.measure(engine, poster, **sizes), asked, chosen["events"])


def _print(title: str, found: dict[str, Any], asked: dict[str, list[float]], events: int) -> None:
    print(f"\n{title}: from the request to the end of all (load {os.getloadavg()[0]:.1f})")
    columns = ("events/s", "(from - to)", "CPU ms/event", "x handler", "SQL, alone", f"SQL, of {events}")
    print(f"{'':{_NAME}}" + "".join(f"{column:>16}" for column in columns))
    first = next(iter(found.values()))
    for name, own in found.items():
        cells = [f"{statistics.median(own.rates):.0f}", f"{min(own.rates):.0f} - {max(own.rates):.0f}"]
        cells += [f"{statistics.median(own.cpu) * 1e3:.2f}", f"{own.ratio_to(first):.2f}"]
        cells += [f"{value:.1f}" for value in asked[name]]
        print(f"{name:{_NAME}}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.workflows.settings")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    django.setup()
    main(json.loads(sys.argv[1]))
