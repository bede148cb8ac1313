"""Interleaved rounds over one kept connection: everyone once a round, each round begun by the next."""

import asyncio
import statistics
import time
from dataclasses import dataclass, field

from benchmarks.client import Connection
from benchmarks.events.contenders import (
    NINJA,
    ONCE,
    OURS,
    OURS_HANDLED,
    PLAIN,
    TABLES,
    TUNED,
    Scenario,
    first_number,
)
from benchmarks.processes import Server


@dataclass
class Figures:
    """Seconds a request, one figure a round, and how many requests there were in all.

    Attributes:
        wall: from sending the first request to the last answer's end.
        cpu: of the server's processor; PostgreSQL's own is not in it.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    sent: int = 0

    def ratio_to(self, other: "Figures") -> float:
        """How many times as fast as `other`: the median over the rounds, for in one round both meet the same load."""
        return statistics.median(theirs / own for own, theirs in zip(self.wall, other.wall, strict=True))


class Measuring:
    """All scenarios on one running server; `keys` are the package's and REST framework's token."""

    def __init__(self, server: Server, keys: dict[str, str], *, rounds: int, seconds: float) -> None:
        self._server, self._keys, self._rounds, self._seconds = server, keys, rounds, seconds

    async def measure(self, place: int, scenario: Scenario) -> dict[str, Figures]:
        """The scenario that stands at `place` among all."""
        names = list(scenario.requests)
        found = {name: Figures() for name in names}
        slices = {name: _Slice(self._server, self._key(name), scenario, name, found[name]) for name in names}
        for number, name in enumerate(names):
            await slices[name].warm_up(first_number(place, number), self._seconds)
        for number in range(self._rounds):
            start = number % len(names)
            for name in names[start:] + names[:start]:
                await slices[name].take()
        return found

    def _key(self, name: str) -> str:
        return self._keys["key" if name in {OURS, OURS_HANDLED} else "token"]


class _Slice:
    """A contender's share of each round."""

    def __init__(self, server: Server, key: str, scenario: Scenario, name: str, found: Figures) -> None:
        self._server, self._key, self._request, self._found = server, key, scenario.requests[name], found
        self._first, self._times = 0, 1
        self._connection = Connection(server.port)

    async def warm_up(self, first: int, seconds: float) -> None:
        """Have made what is made once, and find out how many requests take `seconds`."""
        self._first = first
        await self._send(2)
        took = await self._send(1)
        self._times = max(1, int(seconds / took))

    async def take(self) -> None:
        """Note the share of one round."""
        before = self._server.cpu
        self._found.wall.append(await self._send(self._times))
        self._found.cpu.append((self._server.cpu - before) / self._times)

    async def _send(self, times: int) -> float:
        """Send so many; seconds for each, the making of the bodies not counted."""
        numbers = range(self._first + self._found.sent, self._first + self._found.sent + times)
        calls = [self._request.call(number, self._server.port, self._key) for number in numbers]
        self._found.sent += times
        began = time.perf_counter()
        async with asyncio.timeout(120):
            for call in calls:
                await self._connection.send(call)
        return (time.perf_counter() - began) / times


def expected(scenarios: list[Scenario], found: list[dict[str, Figures]]) -> dict[str, int]:
    """How many rows all that was sent must have left, by table."""
    rows = dict.fromkeys([*TABLES.values(), "jobs"], 0)
    for scenario, figures in zip(scenarios, found, strict=True):
        for name, own in figures.items():
            rows[TABLES[name]] += scenario.rows(own.sent)
            rows["jobs"] += own.sent if name == OURS_HANDLED else 0
    return rows


def beside(figures: dict[str, Figures]) -> list[str]:
    """Whom the ratios are to."""
    return [name for name in (PLAIN, TUNED, ONCE, NINJA) if name in figures]
