"""`python -m benchmarks.schema [--calls N]`: milliseconds of one request, in this process, without a socket."""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

GOAL_MS = 5.0


def main() -> None:
    """Measure, print, and exit with 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=500, help="requests of what comes from the cache (500)")
    calls = parser.parse_args().calls
    get = _host()
    first = get("/one/schema/")
    described = json.loads(first.content)
    operations = sum(len(path) for path in described["paths"].values())
    print(f"{operations} operations, {len(first.content) / 1024:.0f} KiB of JSON; load {os.getloadavg()[0]:.1f}\n")
    print(f"{'':36}{'median':>10}{'p99':>10}  ms")
    _show("drf-spectacular, made each time", _measured(lambda: get("/spectacular/"), 5))
    median = _show("from the cache", _measured(lambda: get("/one/schema/"), calls))
    unchanged = {"If-None-Match": first.headers["ETag"]}
    _show("from the cache, unchanged (304)", _measured(lambda: get("/one/schema/", headers=unchanged), calls))
    print(f"\nfrom the cache ≤ {GOAL_MS:.0f} ms: {'met' if median <= GOAL_MS else 'MISSED'}")
    sys.exit(median > GOAL_MS)


def _host() -> Callable[..., Any]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.schema.settings"
    import django  # noqa: PLC0415 - reads the settings

    django.setup()
    from django.test import Client  # noqa: PLC0415 - as above

    return Client().get


def _measured(call: Callable[[], Any], times: int) -> list[float]:
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        answer = call()
        found.append((time.perf_counter() - begin) * 1000)
        if answer.status_code not in {200, 304}:
            sys.exit(f"answered {answer.status_code}")
    return sorted(found)


def _show(name: str, found: list[float]) -> float:
    median = statistics.median(found)
    print(f"{name:36}{median:10.2f}{found[int(len(found) * 0.99)]:10.2f}")
    return median


if __name__ == "__main__":
    main()
