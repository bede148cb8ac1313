"""`python -m benchmarks.routes.measure ROUNDS ROWS NAMES`: all measurements on the database of the settings."""

import os
import statistics
import sys
from dataclasses import dataclass, field

import django
from django.db import connection

# Seconds that a contender has in a round.
SLICE = 0.08


@dataclass
class Figures:
    """Microseconds a request, one figure a round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def ratio_to(self, other: "Figures") -> float:
        """How many times as fast as `other`: the median over the rounds, for in one round both meet the same load."""
        return statistics.median(theirs / own for own, theirs in zip(self.wall, other.wall, strict=True))

    def more_than(self, other: "Figures") -> float:
        """Microseconds more than `other`, in the same way."""
        return statistics.median(own - theirs for own, theirs in zip(self.wall, other.wall, strict=True))


def main(rounds: int, rows: int, names: str) -> bool:
    """Measure and print; whether no goal is missed."""
    from benchmarks.routes import report  # noqa: PLC0415 - models load after django.setup()
    from benchmarks.routes.contenders import Contenders  # noqa: PLC0415
    from benchmarks.routes.seed import seed  # noqa: PLC0415

    print(
        f"\n{'=' * 20} {connection.vendor}, Python {sys.version.split()[0]}, Django {django.__version__}, {rows} rows"
    )
    goals: list[report.Line] = []
    for measurement in Contenders(seed(rows)).measurements():
        if any(part in measurement.name for part in names.split(",")):
            costs = {name: call.cost() for name, call in measurement.calls.items()}
            figures = interleaved(measurement.calls, rounds)
            report.print_table(measurement, figures, costs)
            goals += report.lines_of(measurement, figures, costs)
    return report.print_goals(goals)


def interleaved(calls: dict, rounds: int) -> dict[str, Figures]:  # type: ignore[type-arg]  # of calls, which import Django
    """Everyone once a round, each round begun by the next."""
    from benchmarks.routes.calls import forget_limits  # noqa: PLC0415

    names, figures = list(calls), {name: Figures() for name in calls}
    times = {name: max(2, int(SLICE / calls[name].batch(5)[0])) for name in names}
    for number in range(rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            forget_limits()
            wall, cpu = calls[name].batch(times[name])
            figures[name].wall.append(wall * 1e6)
            figures[name].cpu.append(cpu * 1e6)
    return figures


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.routes.settings")
    django.setup()
    sys.exit(not main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
