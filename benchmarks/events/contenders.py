"""Who is measured, at what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.client import Call, post
from benchmarks.events import bodies
from benchmarks.events.bodies import BATCH, Body

PLAIN, TUNED, ONCE = "plain DRF", "tuned DRF", "tuned DRF, get_or_create()"
NINJA, OURS = "django-ninja, bulk_create()", "automate, every guard"
OURS_HANDLED = "automate, with a handler"

#: Contender → its table, as `benchmarks.events.stored` names it.
TABLES = {PLAIN: "plain", TUNED: "plain", ONCE: "plain", NINJA: "ninja", OURS: "automate", OURS_HANDLED: "automate"}

GOAL = 7.0

_OTHERS = {PLAIN: "/plain/events/", TUNED: "/plain-tuned/events/", NINJA: "/ninja/events"}
_PATHS = _OTHERS | {OURS: "/api/events/"}
# No two contenders of no two scenarios send the same event.
_APART = 1_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """What one contender is sent again and again: to which path, and what."""

    path: str
    body: Body
    is_single: bool = False

    def call(self, number: int, port: int, key: str) -> Call:
        """The request with this number."""
        end = b'"}' if self.is_single else b'"}]'
        return post(port, self.path, self.body(number), key=key, end=end, status=b"201")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Contenders at the same work; ratios are to the first of them.

    Attributes:
        events: in one request.
        rows: how many rows so many requests leave.
        jobs: whether each request of `OURS_HANDLED` leaves a job.
        goals: of whom it is asked to be so many times as fast as the first.
    """

    name: str
    requests: Mapping[str, Request]
    events: int
    rows: Callable[[int], int]
    goals: tuple[str, ...] = (OURS,)


def scenarios() -> list[Scenario]:
    """All of them; requests are numbered so that none sends what another has sent."""
    new = {name: Request(path, bodies.with_keys) for name, path in _PATHS.items()}
    new[OURS_HANDLED] = Request(_PATHS[OURS], bodies.handled)
    known = {ONCE: Request("/plain-once/events/", bodies.half_duplicates)}
    known |= {name: Request(_PATHS[name], bodies.half_duplicates) for name in (NINJA, OURS)}
    keyless = {name: Request(path, bodies.without_keys) for name, path in _PATHS.items()}
    single = {name: Request(path, bodies.single, is_single=True) for name, path in _PATHS.items()}
    single[NINJA] = Request("/ninja/event", bodies.single, is_single=True)
    single[OURS_HANDLED] = Request(_PATHS[OURS], _handled_single, is_single=True)
    return [
        Scenario("1,000 events with keys, all new", new, BATCH, lambda sent: sent * BATCH, (OURS, OURS_HANDLED)),
        Scenario("1,000 events with keys, half sent before", known, BATCH, lambda sent: (sent + 1) * BATCH // 2),
        Scenario("1,000 events without keys", keyless, BATCH, lambda sent: sent * BATCH),
        Scenario("one event with a key", single, 1, lambda sent: sent, goals=()),
    ]


def first_number(scenario: int, contender: int) -> int:
    """Where the numbers of a contender's requests begin."""
    return (scenario * 10 + contender) * _APART


def _handled_single(number: int) -> dict[str, Any]:
    return bodies.single(number) | {"type": bodies.HANDLED}
