"""Who is measured, at what."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.routes.calls import Call, handler
from benchmarks.routes.seed import Seeded

PLAIN, THROTTLED = "plain DRF", "plain DRF + throttle + CORS"
NINJA, NINJA_THROTTLED = "django-ninja", "django-ninja + throttle + CORS"
OURS, BARE = "automate, every guard", "plain DRF, no guard"


@dataclass(frozen=True, slots=True)
class Goal:
    """Times as fast as `beside`; or, where `most` is given, at most so many microseconds more."""

    beside: str
    least: float = 0.0
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """Contenders at the same work; ratios are to the first of them. `most_sql` is what ours may need."""

    name: str
    calls: dict[str, Call]
    goals: tuple[Goal, ...]
    most_sql: int | None = None


class Contenders:
    """Makes the measurements for rows that were seeded."""

    def __init__(self, seeded: Seeded) -> None:
        self._seeded = seeded
        self._with_cors, self._without = handler(cors=True), handler(cors=False)

    def measurements(self) -> list[Measurement]:
        """All, those that change nothing first."""
        seeded = self._seeded
        listed, goal = f"?category={seeded.category}", (Goal(THROTTLED, 2.0), Goal(PLAIN, 2.0))
        ran, called = f"?endpoint={seeded.endpoint}", f"?provider={seeded.provider}"
        return [
            Measurement("items: list 25, filtered", self._everyone("items", listed), goal, most_sql=3),
            Measurement("items: retrieve", self._everyone("items", str(seeded.item)), (Goal(THROTTLED, 1.5),)),
            self._real("executions: list 25, filtered", "executions", ran, 2.0, most_sql=3),
            self._real("executions: retrieve", "executions", str(seeded.execution), 1.5),
            self._real("llm-clients: list 25, filtered", "llm-clients", called, 2.0, most_sql=3),
            self._real("llm-clients: retrieve", "llm-clients", str(seeded.llm_client), 1.5),
            Measurement("a view that does nothing", self._pings(), (Goal(BARE, most=1000),)),
            Measurement("items: create", self._everyone("items", "", self._item), (Goal(THROTTLED, 2.0),)),
            self._real("llm-clients: create", "llm-clients", "", 2.0, body=self._client),
        ]

    def _everyone(self, noun: str, rest: str, body: Callable[[int], bytes] | None = None) -> dict[str, Call]:
        slash = "" if rest.startswith("?") or not rest else "/"
        path, bare = f"{noun}/{rest}{slash}", f"{noun}{slash}{rest}"
        return {
            PLAIN: self._call(f"/plain/{path}", "Token", body),
            THROTTLED: self._call(f"/throttled/{path}", "Token", body, cors=True),
            NINJA: self._call(f"/ninja/{bare}", "Bearer", body),
            NINJA_THROTTLED: self._call(f"/ninja-throttled/{bare}", "Bearer", body, cors=True),
            OURS: self._call(f"/ours/{path}", "", body),
        }

    def _real(
        self,
        name: str,
        noun: str,
        rest: str,
        least: float,
        *,
        most_sql: int | None = None,
        body: Callable[[int], bytes] | None = None,
    ) -> Measurement:
        path = f"{noun}/{rest}" if rest.startswith("?") or not rest else f"{noun}/{rest}/"
        calls = {
            PLAIN: self._call(f"/plain/{path}", "Token", body),
            THROTTLED: self._call(f"/throttled/{path}", "Token", body, cors=True),
            OURS: self._call(f"/api/{path}", "", body),
        }
        return Measurement(name, calls, (Goal(THROTTLED, least),), most_sql)

    def _pings(self) -> dict[str, Call]:
        return {
            BARE: Call(self._without, "/bare/ping/", ""),
            PLAIN: self._call("/plain/ping/", "Token"),
            THROTTLED: self._call("/throttled/ping/", "Token", cors=True),
            NINJA: self._call("/ninja/ping", "Bearer"),
            NINJA_THROTTLED: self._call("/ninja-throttled/ping", "Bearer", cors=True),
            OURS: self._call("/ours/ping/", ""),
        }

    def _call(self, path: str, scheme: str, body: Callable[[int], bytes] | None = None, *, cors: bool = False) -> Call:
        """With a token where `scheme` says how, else with an API key. Our views answer to other origins themselves."""
        authorization = f"{scheme} {self._seeded.token}" if scheme else f"Bearer {self._seeded.key}"
        return Call(self._with_cors if cors else self._without, path, authorization, _unlike(body, path))

    def _item(self, number: int) -> bytes:
        return _json(
            category=self._seeded.category,
            status="done",
            title="gpt-4o-mini",
            asked=number % 1000,
            answered=12,
            payload={"i": number, "tags": ["a", "b"], "usage": {"in": 12, "out": 34}},
            note="completion finished " * 5,
            created_at="2025-01-02T03:04:05.678901Z",
            finished_at="2025-01-02T03:04:06.678901Z",
        )

    def _client(self, number: int) -> bytes:
        return _json(
            name=f"New {number}",
            slug=f"new-{number}",
            provider=self._seeded.provider,
            model="small",
            system_prompt="Answer in one sentence.",
            temperature=0.2,
            parameters={"top_p": 0.9},
        )


def _unlike(body: Callable[[int], bytes] | None, path: str) -> Callable[[int], bytes] | None:
    """Bodies that differ from those another contender sends, where names must be unique."""
    if body is None:
        return None
    mark = sum(path.encode()) * 10_000_000
    return lambda number: body(mark + number)


def _json(**values: Any) -> bytes:
    return json.dumps(values).encode()
