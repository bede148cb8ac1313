"""The three measurements, each in interleaved rounds: who goes first rotates, so a busy minute hits everyone."""

import asyncio
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field

import uvloop

from benchmarks.client import Answer, send_at_once, send_for
from benchmarks.gateway.contenders import Contender

WHOLE, SHORT, SECOND = "fake-1-0", "fake-20-5", "fake-20-50"

Samples = dict[str, list[float]]


@dataclass
class Figures:
    """What was measured of one contender; seconds and MiB.

    Attributes:
        rates: calls a second, one a round.
        cpu: processor seconds a call (or a stream), one a round.
        first, total: to the first piece of text and to the end, one a stream.
        memory: the largest seen, one a round.
        failures: what went wrong.
    """

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of `values` (0 to 1) do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def rotated(contenders: list[Contender], rounds: int) -> Iterator[Contender]:
    """Everyone once a round, each round begun by the next."""
    for number in range(rounds):
        start = number % len(contenders)
        yield from contenders[start:] + contenders[:start]


def calls(contenders: list[Contender], clients: int, *, rounds: int, seconds: float) -> dict[str, Figures]:
    """Calls that are not streamed, from `clients` at once."""
    figures = {contender.name: Figures() for contender in contenders}
    for contender in contenders:
        uvloop.run(send_for(contender.call(WHOLE, False), clients, min(seconds, 1)))
    for contender in rotated(contenders, rounds):
        found, before = figures[contender.name], _cpu(contender)
        took, failures = uvloop.run(send_for(contender.call(WHOLE, False), clients, seconds))
        found.failures += failures
        found.rates.append(clients * len(took) / sum(took) if took else 0.0)
        found.cpu.append((_cpu(contender) - before) / max(len(took), 1))
        found.total += took
    return figures


def first_chunks(contenders: list[Contender], *, rounds: int, streams: int) -> dict[str, Figures]:
    """Streams one after the other: how long until the first piece of text."""
    figures = {contender.name: Figures() for contender in contenders}
    for contender in contenders:
        uvloop.run(_one_by_one(contender, 3, Figures()))
    for contender in rotated(contenders, rounds):
        uvloop.run(_one_by_one(contender, streams, figures[contender.name]))
    return figures


def many_streams(contenders: list[Contender], number: int, *, rounds: int, patience: float) -> dict[str, Figures]:
    """`number` streams of one second at once, all begun within half a second."""
    figures = {contender.name: Figures() for contender in contenders}
    for contender in rotated(contenders, rounds):
        found, before = figures[contender.name], _cpu(contender)
        answers = uvloop.run(_watched(contender, number, patience, found))
        found.cpu.append((_cpu(contender) - before) / number)
        _note(found, answers)
    return figures


def median(values: list[float]) -> float:
    """The median; 0 where there are none."""
    return statistics.median(values) if values else 0.0


async def _one_by_one(contender: Contender, streams: int, found: Figures) -> None:
    for _ in range(streams):
        answers, failures = await send_at_once(contender.call(SHORT, True), 1, within=0, patience=30)
        _note(found, answers)
        found.failures += failures


async def _watched(contender: Contender, number: int, patience: float, found: Figures) -> list[Answer]:
    largest = [0.0]
    watcher = asyncio.create_task(_watch(contender, largest))
    answers, failures = await send_at_once(contender.call(SECOND, True), number, within=0.5, patience=patience)
    watcher.cancel()
    found.memory.append(largest[0])
    found.failures += failures
    return answers


async def _watch(contender: Contender, largest: list[float]) -> None:
    while contender.server is not None:
        largest[0] = max(largest[0], contender.server.memory)
        await asyncio.sleep(0.25)


def _note(found: Figures, answers: list[Answer]) -> None:
    found.first += [answer.first for answer in answers if answer.first is not None]
    found.total += [answer.total for answer in answers]


def _cpu(contender: Contender) -> float:
    return 0.0 if contender.server is None else contender.server.cpu
