"""`python -m benchmarks.keys [--rounds N]`: a known API key recognised from Redis, beside one that is read."""

import argparse
import os
import statistics
import time
from collections.abc import Callable

from benchmarks.requirements import require

require("psycopg", "redis")

CALLS = 100


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help=f"rounds of {CALLS} calls of each (20)")
    rounds = parser.parse_args().rounds
    os.environ.setdefault(
        "BENCH_DATABASE", os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
    )
    os.environ.setdefault("BENCH_REDIS", os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/9"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.routes.settings"
    import django  # noqa: PLC0415 - reads the settings

    django.setup()
    from django.test.utils import setup_databases, teardown_databases  # noqa: PLC0415 - as above

    databases = setup_databases(verbosity=0, interactive=False)
    try:
        _compare(rounds)
    finally:
        teardown_databases(databases, verbosity=0)


def _compare(rounds: int) -> None:
    from django.conf import settings  # noqa: PLC0415 - as above
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - as above

    from automate_api.services.api_keys import authenticate_key, issue_key  # noqa: PLC0415 - as above

    user = get_user_model().objects.create_user("ann")
    _key, text = issue_key(tenant_id="acme", user=user, name="bench", scopes=["*"])
    found: dict[str | None, list[float]] = {"default": [], None: []}
    queries = {}
    for round_ in range(-1, rounds):
        for cache in sorted(found, key=str, reverse=bool(round_ % 2)):
            settings.AUTOMATE_API_CACHE = cache
            taken = _taken(lambda: authenticate_key(text))
            if round_ < 0:  # which warms
                queries[cache] = _queries(lambda: authenticate_key(text))
            else:
                found[cache].append(taken)
    print(f"{settings.DATABASES['default']['ENGINE']}; load {os.getloadavg()[0]:.1f}\n")
    print(f"{'':12}{'SQL':>6}{'µs':>8}")
    for name, cache in (("warm", "default"), ("read", None)):
        print(f"{name:12}{queries[cache]:6}{statistics.median(found[cache]):8.0f}")
    ratios = [read / warm for warm, read in zip(found["default"], found[None], strict=True)]
    print(f"\nwarm is {statistics.median(ratios):.1f} times as fast")


def _taken(call: Callable[[], object]) -> float:
    """Microseconds of one call."""
    begin = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - begin) / CALLS * 1e6


def _queries(call: Callable[[], object]) -> int:
    from django.db import connection  # noqa: PLC0415 - as above
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 - as above

    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


if __name__ == "__main__":
    main()
