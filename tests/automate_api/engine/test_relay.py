"""The relay: batches in the caller's thread, and a run that stops when its sink says so, or is left to itself."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

import pytest

from automate_api.engine import relay as module
from automate_api.engine.capability import Capability, RunContext
from automate_api.engine.driver import Run
from automate_api.engine.events import EventType, RunEvent
from automate_api.engine.relay import coalesced, relay
from automate_api.ids import uuid7

Script = Callable[[], AsyncGenerator[RunEvent, None]]

FINAL = RunEvent(EventType.FINAL, {"output": "done", "usage": None, "cost": None})


def token(text: str) -> RunEvent:
    return RunEvent(EventType.TOKEN, {"text": text})


def run_of(script: Script, *, timeout: float = 10) -> Run:
    class Scripted(Capability):
        task_type = "test.scripted"

        async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
            async for event in script():
                yield event

    context = RunContext(run_id=uuid7(), tenant_id="t", correlation_id="c", input="")
    return Run(Scripted(), context, begin=lambda _run: None, finish=lambda _run: None, timeout=timeout)


class Sink:
    """Keeps what it gets, and stops the run after a token that says `stop`."""

    def __init__(self) -> None:
        self.events: list[RunEvent] = []
        self.threads: set[int] = set()

    def __call__(self, events: list[RunEvent]) -> bool:
        self.events += events
        self.threads.add(threading.get_ident())
        return not any("stop" in event.data.get("text", "") for event in self.events)

    @property
    def text(self) -> str:
        return "".join(event.data.get("text", "") for event in self.events)


async def three() -> AsyncGenerator[RunEvent, None]:
    for text in ("a", "b", "c"):
        yield token(text)
    yield FINAL


def test_the_sink_gets_all_but_the_end_in_the_callers_thread() -> None:
    sink = Sink()
    assert relay(run_of(three), sink, every=0.01) == FINAL
    assert sink.events[0].type is EventType.STARTED
    assert sink.text == "abc"
    assert FINAL not in sink.events
    assert sink.threads == {threading.get_ident()}


def test_neighbouring_tokens_are_one_event() -> None:
    progress = RunEvent(EventType.PROGRESS, {"done": 1})
    merged = coalesced([token("a"), token("b"), progress, token("c"), token("d")])
    assert merged == [token("ab"), progress, token("cd")]
    assert coalesced([]) == []


def test_a_long_answer_comes_whole() -> None:
    async def many() -> AsyncGenerator[RunEvent, None]:
        for number in range(2000):
            yield token(f"{number} ")
        yield FINAL

    sink = Sink()
    assert relay(run_of(many), sink, every=0.001) == FINAL
    assert sink.text == "".join(f"{number} " for number in range(2000))


def test_a_sink_that_has_enough_stops_the_run_and_what_was_said_is_known() -> None:
    async def hang() -> AsyncGenerator[RunEvent, None]:
        yield token("stop")
        await asyncio.Event().wait()

    run, sink = run_of(hang), Sink()
    end = relay(run, sink, every=0.01)
    assert end == run.end == RunEvent(EventType.CANCELLED, {"partial": "stop"})
    assert [step["status"] for step in run.steps] == ["cancelled"]


def test_a_silent_run_is_stopped_too() -> None:
    async def silent() -> AsyncGenerator[RunEvent, None]:
        await asyncio.Event().wait()
        yield FINAL

    assert relay(run_of(silent), lambda _events: False, every=0.01).type is EventType.CANCELLED


def test_a_capability_that_fails_ends_with_its_error() -> None:
    async def fail() -> AsyncGenerator[RunEvent, None]:
        yield token("a")
        raise ValueError

    end = relay(run_of(fail), Sink(), every=0.01)
    assert (end.type, end.data["code"], end.data["partial"]) == (EventType.ERROR, "internal_error", "a")


@pytest.fixture
def released() -> Any:
    """Set after the test, so that nothing is left behind on the loop."""
    event = threading.Event()
    yield event
    event.set()


def stubborn(released: threading.Event) -> Script:
    """One that is told to stop and goes on."""

    async def run() -> AsyncGenerator[RunEvent, None]:
        yield token("stop")
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.02)

    return run


def test_a_capability_that_does_not_stop_when_cancelled_is_left_to_itself(
    monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> None:
    monkeypatch.setattr(module, "GRACE", 0.1)
    run = run_of(stubborn(released))
    assert relay(run, Sink(), every=0.01) == run.end == RunEvent(EventType.CANCELLED, {"partial": "stop"})


def test_a_capability_that_passes_over_its_deadline_is_left_to_itself(
    monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> None:
    monkeypatch.setattr(module, "GRACE", 0.1)
    run = run_of(stubborn(released), timeout=0.1)
    end = relay(run, lambda _events: True, every=0.01)
    assert (end.type, end.data["code"], end.data["partial"]) == (EventType.ERROR, "run_timeout", "stop")
    assert run.end == end


def test_a_sink_that_raises_stops_the_run() -> None:
    stopped = threading.Event()

    async def hang() -> AsyncGenerator[RunEvent, None]:
        try:
            yield token("a")
            await asyncio.Event().wait()
        finally:
            stopped.set()

    def broken(events: list[RunEvent]) -> bool:
        if not events:
            return True
        raise ConnectionError

    with pytest.raises(ConnectionError):
        relay(run_of(hang), broken, every=0.01)
    assert stopped.wait(10)
