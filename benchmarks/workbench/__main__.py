"""`python -m benchmarks.workbench [--rounds N] [--clients N]`: a page of the workbench's list, kept and read."""

import argparse
import os
import statistics
from collections.abc import Iterator
from typing import Any

from benchmarks.requirements import require

require("psycopg", "redis")

CALLS = 10
GOAL = 2.0


def main() -> None:
    """Measure and print; exits with 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help=f"rounds of {CALLS} calls of each (20)")
    parser.add_argument("--clients", type=int, default=2_000, help="LLM clients in the tenant (2000)")
    chosen = parser.parse_args()
    os.environ.setdefault(
        "BENCH_DATABASE", os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
    )
    os.environ.setdefault("BENCH_REDIS", os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/9"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.routes.settings"
    import django  # noqa: PLC0415 - reads the settings

    django.setup()
    from django.test.utils import override_settings, setup_databases, teardown_databases  # noqa: PLC0415 - as above

    databases = setup_databases(verbosity=0, interactive=False)
    try:
        with override_settings(ROOT_URLCONF="automate_api.workbench.urls"):
            is_met = _compare(chosen.rounds, seed(chosen.clients))
    finally:
        teardown_databases(databases, verbosity=0)
    raise SystemExit(not is_met)


def seed(clients: int) -> dict[str, str]:
    """A tenant with so many LLM clients; the keys of a member, who sees half of them, and of staff."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - as above

    from automate_api.models import LLMClient, Provider  # noqa: PLC0415 - as above
    from automate_api.services.api_keys import issue_key  # noqa: PLC0415 - as above

    users = get_user_model().objects
    people = {name: users.create_user(name, is_staff=name == "staff") for name in ("member", "staff")}
    provider = Provider.objects.create(tenant_id="acme", slug="models", name="Models", base_url="https://m.example/v1")
    prompt = "Answer in one sentence, and say where you have it from. " * 5
    LLMClient.objects.bulk_create(
        LLMClient(
            tenant_id="acme", owner=people["member" if number % 4 == 0 else "staff"], provider=provider, model="small",
            name=f"Helper {number}", slug=f"helper-{number}", system_prompt=prompt, shared_with_tenant=number % 4 == 1,
        )
        for number in range(clients)
    )  # fmt: skip
    return {
        name: issue_key(tenant_id="acme", user=user, name="bench", scopes=["*"])[1] for name, user in people.items()
    }


def _compare(rounds: int, keys: dict[str, str]) -> bool:
    from django.conf import settings  # noqa: PLC0415 - as above

    print(f"{settings.DATABASES['default']['ENGINE']}; load {os.getloadavg()[0]:.1f}\n")
    print(f"{'':34}{'SQL':>10}{'requests/s':>16}{'ratio':>8}")
    print(f"{'':34}{'warm  cold':>10}{'warm    cold':>16}")
    ratios = [_line(f"{who}, {where}", key, cache, rounds) for who, key, where, cache in _contenders(keys)]
    print(f"\n{'met' if min(ratios) >= GOAL else 'MISSED'}: warm is at least {GOAL:g} times as fast: {min(ratios):.1f}")
    return min(ratios) >= GOAL


def _contenders(keys: dict[str, str]) -> Iterator[tuple[str, str, str, str | None]]:
    for who, key in keys.items():
        yield who, key, "Redis", "default"
        yield who, key, "no shared cache", None


def _line(name: str, key: str, cache: str | None, rounds: int) -> float:
    from django.conf import settings  # noqa: PLC0415 - as above

    from benchmarks.routes.calls import Call, handler  # noqa: PLC0415 - as above

    settings.AUTOMATE_API_CACHE = cache
    app, path = handler(cors=False), "/workbench/api/listview/"

    def call(query: str) -> Call:
        return Call(app, path + query, f"Bearer {key}", lambda _number: b"{}")

    warm, cold = call(""), call("?invalidate_cache=true")
    costs = cold.cost(), warm.cost()
    taken: dict[Any, list[float]] = {warm: [], cold: []}
    for number in range(rounds):
        for one in (warm, cold) if number % 2 else (cold, warm):
            taken[one].append(one.batch(CALLS)[1])
    ratio = statistics.median(read / kept for kept, read in zip(taken[warm], taken[cold], strict=True))
    a_second = [1 / statistics.median(taken[one]) for one in (warm, cold)]
    sql = f"{costs[1].sql:4}{costs[0].sql:6}"
    print(f"{name:34}{sql}{a_second[0]:8.0f}{a_second[1]:8.0f}{ratio:8.1f}", flush=True)
    return ratio


if __name__ == "__main__":
    main()
