"""The figures as tables, and beside the goals."""

import os
from dataclasses import dataclass

from benchmarks.gateway.contenders import BARE, GTHREAD, LITELLM, OURS, UVICORN, Contender
from benchmarks.gateway.measures import Figures, median, percentile

Found = dict[str, Figures]

_NAME = 34


@dataclass(frozen=True, slots=True)
class Goal:
    """What was wanted and what came; `met` is None where there was nothing to compare with."""

    text: str
    came: str
    met: bool | None


def print_calls(found: Found, contenders: list[Contender], clients: int) -> None:
    """Calls a second, with ratios."""
    _print_title(f"Calls that are not streamed, {clients} client{'s' * (clients > 1)}")
    columns = ("calls/s", "(from - to)", "p50 ms", "p99 ms", "CPU ms", "x LiteLLM", "x bare")
    print(f"{'':{_NAME}}" + "".join(f"{column:>14}" for column in columns))
    for contender in contenders:
        own = found[contender.name]
        cells = [
            f"{median(own.rates):.0f}",
            f"{min(own.rates):.0f} - {max(own.rates):.0f}",
            *(f"{percentile(own.total, share) * 1e3:.2f}" for share in (0.5, 0.99) if own.total),
            f"{median(own.cpu) * 1e3:.2f}",
            _times(own, found.get(LITELLM)),
            _times(own, found.get(_name(BARE, contender.on))),
        ]
        _print_row(contender, cells, own)


def print_first_chunks(found: Found, contenders: list[Contender]) -> None:
    """Time to the first piece of text, and what a contender adds to it."""
    _print_title("Streams one at a time, 20 pieces 5 ms apart: milliseconds to the first piece of text")
    print(f"{'':{_NAME}}" + "".join(f"{column:>14}" for column in ("p50", "p99", "p50 over bare")))
    for contender in contenders:
        own, base = found[contender.name], found.get(_name(BARE, contender.on))
        over = f"{_added(own, base):+.2f}" if base is not None and base is not own else ""
        cells = [*(f"{percentile(own.first, share) * 1e3:.2f}" for share in (0.5, 0.99) if own.first), over]
        _print_row(contender, cells, own)


def print_many(found: Found, contenders: list[Contender], number: int) -> None:
    """Many streams at once."""
    _print_title(f"{number} streams of 20 pieces 50 ms apart (1.0 s each), all begun within 0.5 s: seconds, and MiB")
    columns = ("whole", "p50", "p99", "first p50", "first p99", "memory", "CPU ms each")
    print(f"{'':{_NAME}}" + "".join(f"{column:>14}" for column in columns))
    for contender in contenders:
        own = found[contender.name]
        cells = [str(len(own.total))]
        if own.total:
            cells += [f"{percentile(values, share):.2f}" for values in (own.total, own.first) for share in (0.5, 0.99)]
            cells += [f"{max(own.memory):.0f}", f"{median(own.cpu) * 1e3:.2f}"]
        _print_row(contender, cells, own)


def call_goal(found: Found, clients: int) -> Goal:
    """At least five times LiteLLM's calls a second, stored, on gthread."""
    own, other = found.get(_name(OURS, GTHREAD)), found.get(LITELLM)
    text = f"calls/s at {clients}: >= 5 x LiteLLM on {GTHREAD}"
    if own is None or other is None or not other.total:
        return Goal(text, "not measured", None)
    ratio = median(own.rates) / median(other.rates)
    return Goal(text, f"{ratio:.1f} x", ratio >= 5)


def first_chunk_goal(found: Found, on: str) -> Goal:
    """At most 5 ms more than a bare view on the same server."""
    own, other = found.get(_name(OURS, on)), found.get(_name(BARE, on))
    text = f"first piece of text: <= 5 ms over a bare view on {on}"
    if own is None or other is None:
        return Goal(text, "not measured", None)
    added = _added(own, other)
    return Goal(text, f"{added:+.1f} ms", added <= 5)


def many_goals(found: Found, number: int) -> list[Goal]:
    """Median, 99th percentile and memory of many streams, on an ASGI server."""
    own = found.get(_name(OURS, UVICORN))
    if own is None or not own.total:
        return [Goal(f"{number} streams", "not measured", None)]
    return [
        _at_most(f"{number} streams: median", percentile(own.total, 0.5), 2.0, "s"),
        _at_most(f"{number} streams: p99", percentile(own.total, 0.99), 3.5, "s"),
        _at_most(f"{number} streams: memory", max(own.memory), 130, "MiB"),
        Goal(f"{number} streams: none fails", f"{len(own.failures)} failed", not own.failures),
    ]


def print_goals(goals: list[Goal]) -> bool:
    """Print them; whether none was missed."""
    words = {True: "met", False: "MISSED", None: "-"}
    print("\nGoals")
    for goal in goals:
        print(f"  {words[goal.met]:7} {goal.text:58} {goal.came}")
    return all(goal.met is not False for goal in goals)


def _at_most(text: str, value: float, limit: float, unit: str) -> Goal:
    return Goal(f"{text} <= {limit:g} {unit} on {UVICORN}", f"{value:.2f} {unit}", value <= limit)


def _name(what: str, on: str) -> str:
    return f"{what}, {on}"


def _times(own: Figures, other: Figures | None) -> str:
    if other is None or not median(other.rates):
        return "-"
    return f"{median(own.rates) / median(other.rates):.2f}"


def _added(own: Figures, other: Figures) -> float:
    return (percentile(own.first, 0.5) - percentile(other.first, 0.5)) * 1e3


def _print_title(text: str) -> None:
    print(f"\n{text} (load {os.getloadavg()[0]:.1f})")


def _print_row(contender: Contender, cells: list[str], own: Figures) -> None:
    failed = f"  {len(own.failures)} FAILED: {own.failures[0]}" if own.failures else ""
    print(f"{contender.name:{_NAME}}" + "".join(f"{cell:>14}" for cell in cells) + failed, flush=True)
