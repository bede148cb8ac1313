"""`python -m benchmarks.pages.measure ROWS PAGE ROUNDS EXPLAIN`: on the database of the settings."""

import json
import os
import statistics
import sys
import time
from dataclasses import dataclass

import django
from django.db import connection

# How much longer a late page may take than the first one.
MOST = 2.0


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one list: milliseconds of the first and of the late page, and the late page's number and plan."""

    name: str
    first: float
    late: float
    page: int
    plan: str
    is_indexed: bool

    @property
    def ratio(self) -> float:
        """How many times the first page's time the late one takes."""
        return self.late / self.first


def main(rows: int, page: int, rounds: int, explain: bool) -> bool:
    """Measure and print; whether no goal is missed."""
    from benchmarks.pages.seed import seed  # noqa: PLC0415 - models load after django.setup()

    started = time.monotonic()
    seeded = seed(rows)
    print(f"{rows} executions made in {time.monotonic() - started:.0f} s; page {page} beside page 1, 25 rows each")
    lists = [
        ("staff", seeded.staff, "", True),
        ("member", seeded.member, "", True),
        ("staff, one user's", seeded.staff, f"user={seeded.member_id}", True),
        ("staff, since half of the time", seeded.staff, f"created_after={_middle()}", True),
        ("staff, oldest first", seeded.staff, "ordering=created_at", True),
        ("member, oldest first", seeded.member, "ordering=created_at", True),
        ("staff, of one endpoint (all are)", seeded.staff, f"endpoint={seeded.endpoint}", True),
        ("staff, succeeded (nearly all have)", seeded.staff, "status=succeeded", True),
        ("staff, of one correlation id", seeded.staff, f"correlation_id={seeded.correlation_id}", True),
        ("staff, failed (1 in 400, no index)", seeded.staff, "status=failed", False),
        ("staff, longest first (no index)", seeded.staff, "ordering=-duration_ms", False),
    ]
    found = []
    print(f"\n{'':38}{'page 1, ms':>12}{'late, ms':>12}{'ratio':>8}   late page")
    for name, key, query, is_indexed in lists:
        one = measured(name, key, query, page=page, rounds=rounds if is_indexed else 3, is_indexed=is_indexed)
        found.append(one)
        print(f"{name:38}{one.first:12.2f}{one.late:12.2f}{one.ratio:8.2f}   {one.page}", flush=True)
        if explain:
            print(one.plan)
    return _print_goals(found)


def measured(name: str, key: str, query: str, *, page: int, rounds: int, is_indexed: bool) -> Found:
    """One list, walked to its late page, whose time is then compared with that of the first."""
    from benchmarks.routes.calls import Call, handler  # noqa: PLC0415

    app, first = handler(cors=False), f"/api/executions/?{query}"

    def call(path: str) -> Call:
        return Call(app, path, f"Bearer {key}")

    path, number = first, 1
    while number < (page if is_indexed else 20):
        following = json.loads(call(path).one())["next"]
        if following is None:
            break
        path, number = following.partition("127.0.0.1")[2], number + 1
    calls = call(first), call(path)
    times: tuple[list[float], list[float]] = ([], [])
    for number_of_round in range(rounds):
        for which in (0, 1) if number_of_round % 2 else (1, 0):
            times[which].append(calls[which].batch(5 if is_indexed else 1)[0] * 1e3)
    return Found(name, *(statistics.median(one) for one in times), number, _plan(calls[1]), is_indexed)


def _plan(call) -> str:  # type: ignore[no-untyped-def]  # of a call, which imports Django
    statements = []

    def note(execute, sql, params, *rest):  # type: ignore[no-untyped-def]
        statements.append((sql, params))
        return execute(sql, params, *rest)

    with connection.execute_wrapper(note):
        call.one()
    sql, params = next(one for one in reversed(statements) if "automate_api_execution" in one[0])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {sql}", params)
        return "\n".join(f"    {line}" for (line,) in cursor.fetchall())


def _middle() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(created_at) + (max(created_at) - min(created_at)) / 2 FROM automate_api_execution")
        return str(cursor.fetchone()[0].strftime("%Y-%m-%dT%H:%M:%SZ"))


def _print_goals(found: list[Found]) -> bool:
    print("\nGoals")
    for one in found:
        word = "-" if not one.is_indexed else "met" if one.ratio <= MOST else "MISSED"
        print(f"  {word:7} {one.name}: page {one.page} <= {MOST:g} x page 1".ljust(80) + f"{one.ratio:.2f} x")
    return all(one.ratio <= MOST for one in found if one.is_indexed)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.routes.settings")
    django.setup()
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(not main(arguments[0], arguments[1], arguments[2], bool(arguments[3])))
