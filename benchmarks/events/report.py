"""The figures as tables, and beside the goals."""

import os
import statistics
from dataclasses import dataclass

from benchmarks.events.contenders import GOAL, Scenario
from benchmarks.events.measure import Figures, beside

_NAME = 34


@dataclass(frozen=True, slots=True)
class Line:
    """A goal and what came of it."""

    text: str
    came: str
    met: bool


def print_table(scenario: Scenario, figures: dict[str, Figures]) -> None:
    """What each contender needs for one request."""
    print(f"\n{scenario.name} (load {os.getloadavg()[0]:.1f})")
    columns = (
        "median ms",
        "best ms",
        "CPU ms",
        "events/s",
        *(f"x {name.partition(',')[0]}" for name in beside(figures)),
    )
    print(f"{'':{_NAME}}" + "".join(f"{column:>16}" for column in columns))
    for name, own in figures.items():
        cells = [f"{value * 1e3:.2f}" for value in (statistics.median(own.wall), min(own.wall))]
        cells += [f"{statistics.median(own.cpu) * 1e3:.2f}", f"{scenario.events / statistics.median(own.wall):.0f}"]
        cells += [f"{own.ratio_to(figures[other]):.2f}" for other in beside(figures)]
        print(f"{name:{_NAME}}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


def lines_of(scenario: Scenario, figures: dict[str, Figures]) -> list[Line]:
    """Its goals."""
    first, lines = next(iter(figures)), []
    for name in scenario.goals:
        ratio = figures[name].ratio_to(figures[first])
        lines.append(Line(f"{scenario.name}: {name} >= {GOAL:g} x {first}", f"{ratio:.2f} x", ratio >= GOAL))
    return lines


def line_of_rows(expected: dict[str, int], stored: dict[str, int]) -> Line:
    """Whether the tables hold what was sent."""
    rows = ", ".join(f"{name} {number}" for name, number in stored.items())
    return Line("each event stored once, each batch with a handler one job", rows, expected == stored)


def print_goals(lines: list[Line]) -> bool:
    """Print them; whether none was missed."""
    print("\nGoals")
    for line in lines:
        print(f"  {'met' if line.met else 'MISSED':7} {line.text:92} {line.came}")
    return all(line.met for line in lines)
