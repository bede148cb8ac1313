"""`python -m benchmarks.rules [--rounds N] [--rules N]`: rules compiled, evaluated, explained; many on one event."""

import argparse
import gc
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings

from benchmarks.requirements import require

require("celpy", "psutil")
settings.configure()
django.setup()

import psutil  # noqa: E402 - it is there

from automate.rules import compile_rule  # noqa: E402 - reads the settings
from benchmarks.rules.contenders import Contender, check, contenders  # noqa: E402 - as above

CONTEXT: dict[str, Any] = {
    "event": {
        "type": "order.placed",
        "payload": {
            "total": 150,
            "discount": 3,
            "customer": {"tier": "gold", "country": "AT"},
            "items": [{"sku": f"A{number}", "n": number} for number in range(5)],
        },
    },
    "steps": {"ask": {"output": {"output": "refund"}}},
}
RULES = {
    "short": "event.payload.total > 100",
    "typical": (
        "event.type == 'order.placed' && event.payload.total > 100 && event.payload.customer.tier in ['gold', 'silver']"
    ),
    "macro": "event.payload.items.exists(item, item.sku.startsWith('A4') && item.n > 3)",
}
CALLS = 200


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help=f"rounds of {CALLS} calls of each (7)")
    parser.add_argument("--rules", type=int, default=10_000, help="different rules on one event (10000)")
    options = parser.parse_args()
    check(RULES, CONTEXT)
    print(f"load {os.getloadavg()[0]:.1f}; microseconds of processor time, medians\n")
    print(f"{'':12}{'':30}{'compile':>10}{'evaluate':>10}{'explain':>10}")
    for name, source in RULES.items():
        _compare(name, source, options.rounds)
    _many(options.rules)


def _compare(name: str, source: str, rounds: int) -> None:
    there = list(contenders(CONTEXT))
    found: dict[tuple[str, str], list[float]] = {}
    for round_ in range(-1, rounds):  # the first warms
        for contender in there if round_ % 2 else reversed(there):
            for verb, call in _calls(contender, source).items():
                taken = _taken(call)
                if round_ >= 0:
                    found.setdefault((contender.name, verb), []).append(taken)
    medians = {key: statistics.median(values) for key, values in found.items()}
    for contender in there:
        figures = [medians.get((contender.name, verb)) for verb in ("compile", "evaluate", "explain")]
        shown = "".join(f"{'-':>10}" if figure is None else f"{figure:10.1f}" for figure in figures)
        print(f"{name if contender is there[0] else '':12}{contender.name:30}{shown}")
    for contender in there[1:]:
        ratios = [medians[contender.name, verb] / medians["automate", verb] for verb in ("compile", "evaluate")]
        print(f"{'':12}{f'  ratio of {contender.name}':30}" + "".join(f"{ratio:10.2f}" for ratio in ratios))


def _calls(contender: Contender, source: str) -> dict[str, Callable[[], Any]]:
    compiled = contender.compile(source)
    calls: dict[str, Callable[[], Any]] = {
        "compile": lambda: contender.compile(source),
        "evaluate": lambda: contender.evaluate(compiled),
    }
    explain = contender.explain
    return calls if explain is None else {**calls, "explain": lambda: explain(compiled)}


def _taken(call: Callable[[], Any]) -> float:
    """Microseconds of one call."""
    begin = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - begin) / CALLS * 1e6


def _many(count: int) -> None:
    """Many different rules on one event: when a process meets them first, and afterwards."""
    forms = [
        "event.type == 'order.placed' && event.payload.total > {n}",
        "event.payload.customer.tier == 'tier-{n}' || event.payload.total < {n}",
        "event.payload.items.exists(item, item.n == {n})",
        "has(event.payload.field_{n}) && event.payload.field_{n} == {n}",
    ]
    sources = [forms[number % len(forms)].format(n=number) for number in range(count)]
    gc.collect()
    before = psutil.Process().memory_info().rss
    print(f"\n{count} different rules on one event, seconds of processor time")
    for name in ("cold", "warm", "again"):
        begin = time.process_time()
        held = sum(compile_rule(source).is_true(CONTEXT) for source in sources)
        taken = time.process_time() - begin
        print(f"{name:12}{taken:8.2f}   {taken / count * 1e6:6.0f} µs each, {held} hold")
    grown = psutil.Process().memory_info().rss - before
    print(f"kept: {grown / count / 1024:.1f} KiB each")


if __name__ == "__main__":
    main()
