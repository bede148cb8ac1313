"""The figures as tables, and beside the goals."""

import os
import statistics
from dataclasses import dataclass

from benchmarks.routes.calls import Cost
from benchmarks.routes.contenders import BARE, NINJA, OURS, PLAIN, THROTTLED, Measurement
from benchmarks.routes.measure import Figures

_NAME = 34


@dataclass(frozen=True, slots=True)
class Line:
    """A goal and what came of it."""

    text: str
    came: str
    met: bool


def print_table(measurement: Measurement, figures: dict[str, Figures], costs: dict[str, Cost]) -> None:
    """What each contender needs for one request."""
    print(f"\n{measurement.name} (load {os.getloadavg()[0]:.1f})")
    beside = [name for name in (BARE, PLAIN, THROTTLED, NINJA) if name in figures]
    columns = (
        "median us",
        "best us",
        "CPU us",
        "SQL",
        "Redis",
        "calls",
        "bytes",
        *(f"x {_short(name)}" for name in beside),
    )
    print(f"{'':{_NAME}}" + "".join(f"{column:>13}" for column in columns))
    for name, own in figures.items():
        cost = costs[name]
        cells = [f"{statistics.median(own.wall):.0f}", f"{min(own.wall):.0f}", f"{statistics.median(own.cpu):.0f}"]
        cells += [str(cost.sql), str(cost.redis), str(cost.calls), str(cost.size)]
        cells += [f"{own.ratio_to(figures[other]):.2f}" for other in beside]
        print(f"{name:{_NAME}}" + "".join(f"{cell:>13}" for cell in cells), flush=True)


def lines_of(measurement: Measurement, figures: dict[str, Figures], costs: dict[str, Cost]) -> list[Line]:
    """Its goals."""
    lines, own = [], figures[OURS]
    for goal in measurement.goals:
        other = figures[goal.beside]
        if goal.most is None:
            ratio = own.ratio_to(other)
            text, came, met = f">= {goal.least:g} x {goal.beside}", f"{ratio:.2f} x", ratio >= goal.least
        else:
            more = own.more_than(other)
            text, came, met = f"<= {goal.most:g} us over {goal.beside}", f"{more:+.0f} us", more <= goal.most
        lines.append(Line(f"{measurement.name}: {text}", came, met))
    if measurement.most_sql is not None:
        found = costs[OURS].sql
        text = f"{measurement.name}: <= {measurement.most_sql} SQL"
        lines.append(Line(text, str(found), found <= measurement.most_sql))
    return lines


def print_goals(lines: list[Line]) -> bool:
    """Print them; whether none was missed."""
    print("\nGoals")
    for line in lines:
        print(f"  {'met' if line.met else 'MISSED':7} {line.text:70} {line.came}")
    return all(line.met for line in lines)


def _short(name: str) -> str:
    return {BARE: "no guard", PLAIN: "plain", THROTTLED: "throttled", NINJA: "ninja"}[name]
