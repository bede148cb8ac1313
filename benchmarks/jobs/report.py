"""The figures as tables, and beside the goals."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from benchmarks.jobs.listening import Heard
from benchmarks.jobs.statements import Counted
from benchmarks.jobs.working import OURS, OURS_CELERY, OURS_DEFAULT, Contender, Figures

_NAME = 34
_RATIO = 0.7


@dataclass(frozen=True, slots=True)
class Line:
    """A goal and what came of it."""

    text: str
    came: str
    met: bool


def print_statements(counted: list[Counted]) -> None:
    """How many statements, and each one's beginning."""
    _print_title("Statements a job")
    for one in counted:
        print(f"{one.name}: {len(one.statements)} statements, {one.commits} commits")
        for sql in one.statements:
            print(f"    {sql[:100]}")


def print_queue(contenders: list[Contender], found: dict[str, Figures]) -> None:
    """How soon and how many."""
    _print_title("Enqueue to start (ms, the call itself included), and jobs a second of one worker")
    columns = ("start p50", "p99", "call p50", "jobs/s", "(from - to)", "CPU ms/job", "MiB", "x engine")
    print(f"{'':{_NAME}}" + "".join(f"{column:>14}" for column in columns))
    for contender in contenders:
        own = found[contender.name]
        cells = [f"{percentile(own.starting, share) * 1e3:.1f}" for share in (0.5, 0.99)]
        cells += [f"{median(own.calling) * 1e3:.1f}", f"{median(own.rates):.0f}"]
        cells += [f"{min(own.rates):.0f} - {max(own.rates):.0f}", f"{median(own.cpu) * 1e3:.2f}", f"{own.memory:.0f}"]
        engine = found.get(contender.beside or "")
        cells.append(f"{_ratio(own, engine):.2f}" if engine else "")
        print(f"{contender.name:{_NAME}}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


def queue_goals(contenders: list[Contender], found: dict[str, Figures]) -> list[Line]:
    """What came of those that were measured."""
    lines = []
    for contender in contenders:
        limit, own = _LIMITS.get(contender.name), found[contender.name]
        if limit is not None:
            started = percentile(own.starting, 0.5) * 1e3
            lines.append(Line(f"{contender.name}: start p50 <= {limit} ms", f"{started:.1f} ms", started <= limit))
        engine = found.get(contender.beside or "")
        if engine is not None:
            ratio = _ratio(own, engine)
            text = f"{contender.name}: jobs/s >= {_RATIO} x {contender.beside}"
            lines.append(Line(text, f"{ratio:.2f} x", ratio >= _RATIO))
    return lines


_LIMITS = {OURS: 50, OURS_DEFAULT: 50, OURS_CELERY: 10}


def print_events(heard: Iterable[Heard]) -> None:
    """What listeners got, and what that cost the server."""
    _print_title("Events to listeners, uvicorn, one process")
    columns = ("listeners", "jobs", "said/s", "events/s", "late p50 ms", "p99 ms", "CPU s/s", "idle CPU", "MiB", "+MiB")
    print("".join(f"{column:>12}" for column in columns))
    for one in heard:
        cells = [
            str(one.listeners),
            str(one.jobs),
            f"{one.said / one.speaking:.0f}",
            f"{one.received / one.seconds:.0f}",
        ]
        cells += [f"{percentile(one.late, share) * 1e3:.0f}" for share in (0.5, 0.99)]
        cells += [f"{one.cpu / one.seconds:.2f}", f"{one.idle_cpu:.3f}", f"{one.memory:.0f}", f"{one.more_memory:.0f}"]
        failed = f"  {one.failures} FAILED" if one.failures else ""
        print("".join(f"{cell:>12}" for cell in cells) + failed, flush=True)


def print_goals(lines: list[Line]) -> bool:
    """Print them; whether none was missed."""
    if lines:
        print("\nGoals")
    for line in lines:
        print(f"  {'met' if line.met else 'MISSED':7} {line.text:74} {line.came}")
    return all(line.met for line in lines)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of all are below; 0 where there are none."""
    ordered = sorted(values) or [0.0]
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _ratio(own: Figures, engine: Figures) -> float:
    return median([mine / theirs for mine, theirs in zip(own.rates, engine.rates, strict=True)])


def _print_title(text: str) -> None:
    print(f"\n{text} (load {os.getloadavg()[0]:.1f})")
