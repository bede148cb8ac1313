"""Capabilities that break the rules: the run still ends, once, truthfully, and is stored."""

import asyncio
import contextlib
import datetime
import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import Any, cast

import pytest

from automate_api.engine.capability import RunContext
from automate_api.engine.driver import Run
from automate_api.engine.events import EventType, RunEvent
from automate_api.engine.transports import EventStream, collect
from automate_api.exceptions import ErrorCode, StorageUnavailable
from tests.automate_api.engine.test_driver import FINAL, events_of, run_of, token

Work = Callable[[RunContext], AsyncGenerator[RunEvent, None]]


class Own(BaseException):
    """What no `except Exception` catches."""


def working(*events: Any, raising: BaseException | None = None) -> Work:
    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        for event in events:
            yield event
        if raising is not None:
            raise raising

    return work


def final(**data: Any) -> RunEvent:
    return RunEvent(EventType.FINAL, {"output": None, "usage": None, "cost": None, **data})


def cyclic() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


def by_collect(run: Run) -> tuple[str, Any]:
    end = collect(run)
    return end.type, end.data


def by_wsgi(run: Run) -> tuple[str, Any]:
    with contextlib.closing(EventStream(run, is_async=False)) as stream:
        return last_of(b"".join(cast("Iterator[bytes]", stream.streaming_content)))


def by_asgi(run: Run) -> tuple[str, Any]:
    async def read() -> bytes:
        stream = EventStream(run, is_async=True)
        try:
            return b"".join([piece async for piece in cast("AsyncIterator[bytes]", stream.streaming_content)])
        finally:
            stream.close()

    return last_of(asyncio.run(read()))


def last_of(stream: bytes) -> tuple[str, Any]:
    """The last event, read as strict JSON."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    for frame in filter(None, stream.split(b"\n\n")):
        if not frame.startswith(b":"):
            _id, kind, data = frame.decode().split("\n")
            event = kind.removeprefix("event: "), json.loads(data.removeprefix("data: "), parse_constant=refuse)
    return event


@pytest.fixture(params=[by_collect, by_wsgi, by_asgi])
def end_of(request: pytest.FixtureRequest) -> Callable[[Run], tuple[str, Any]]:
    """How a run ended by each transport, in a thread of its own: one that hangs fails instead of stopping the tests."""

    def limited(run: Run) -> tuple[str, Any]:
        found: list[Any] = []

        def call() -> None:
            try:
                found.append(request.param(run))
            except BaseException as exc:  # noqa: BLE001 - handed to the test
                found.append(exc)

        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        thread.join(10)
        assert found, "the transport hangs"
        if isinstance(found[0], BaseException):
            raise AssertionError from found[0]
        return cast("tuple[str, Any]", found[0])

    return limited


EndOf = Callable[[Run], tuple[str, Any]]


@pytest.mark.parametrize("raised", [asyncio.CancelledError, GeneratorExit, SystemExit, Own, StopAsyncIteration])
def test_whatever_a_capability_raises_ends_the_run_as_failed(end_of: EndOf, raised: type[BaseException]) -> None:
    run = run_of(working(token("a"), raising=raised()))
    kind, data = end_of(run)
    assert (kind, data["code"], data["partial"]) == ("error", ErrorCode.INTERNAL_ERROR, "a")
    assert end_of(run_of(working(FINAL)))[0] == "final"


@pytest.mark.parametrize(
    "event",
    [
        RunEvent(EventType.TOKEN, {}),
        RunEvent(EventType.TOKEN, {"text": 5}),
        RunEvent(EventType.RETRY, {}),
        RunEvent(EventType.PROGRESS, {"done": {1}}),
        RunEvent(EventType.PROGRESS, {"done": float("nan")}),
        RunEvent(EventType.ERROR, {"code": "mine", "detail": "my own words"}),
        RunEvent(EventType.CANCELLED, {}),
        final(output={1, 2}),
        final(output=b"bytes"),
        final(output=float("inf")),
        final(output=[1.0, float("nan")]),
        final(output={(1, 2): 3}),
        final(output=cyclic()),
        final(cost="cheap"),
        final(cost="NaN"),
        final(cost="1e30"),
        final(usage="lots"),
        "not an event",
        None,
    ],
    ids=lambda event: repr(event)[:60],
)
def test_an_event_that_breaks_the_rules_fails_the_run(end_of: EndOf, event: Any) -> None:
    kind, data = end_of(run_of(working(event, FINAL)))
    assert (kind, data["code"]) == ("error", ErrorCode.INTERNAL_ERROR)


def test_what_django_can_write_as_json_is_said_as_it_is_stored(end_of: EndOf) -> None:
    day = datetime.date(2026, 1, 2)
    assert end_of(run_of(working(final(output={"on": day, "pair": (1, 2), 3: None}))))[1]["output"] == {
        "on": "2026-01-02",
        "pair": [1, 2],
        "3": None,
    }


def test_a_result_without_usage_and_cost_says_that_neither_is_known(end_of: EndOf) -> None:
    event = RunEvent(EventType.FINAL, {"output": 1})
    assert end_of(run_of(working(event))) == ("final", {"output": 1, "usage": None, "cost": None})


def test_a_capability_that_goes_on_after_its_time_is_stopped(end_of: EndOf) -> None:
    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
            yield token("a")

    assert end_of(run_of(work, timeout=0.1))[1]["code"] == ErrorCode.RUN_TIMEOUT


@pytest.mark.parametrize("late", [[FINAL], []])
async def test_a_result_that_comes_after_the_time_is_none(late: list[RunEvent]) -> None:
    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            for event in late:
                yield event

    end = (await events_of(run_of(work, timeout=0.05)))[-1]
    assert end.data.get("code") == ErrorCode.RUN_TIMEOUT


async def test_a_capability_that_goes_on_after_its_client_has_gone_is_stopped() -> None:
    started = asyncio.Event()

    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                started.set()
                await asyncio.Event().wait()
            yield token("a")

    async def emit(event: RunEvent) -> None:
        if event.type is EventType.TOKEN:
            await asyncio.Event().wait()  # nobody listens

    run = run_of(work)
    task: asyncio.Task[None] = asyncio.create_task(cast("Any", run.drive(emit)))
    await started.wait()
    task.cancel()
    await asyncio.wait([task], timeout=20)
    assert task.cancelled()
    assert run.end is not None
    assert run.end.type is EventType.CANCELLED


@pytest.mark.django_db
def test_a_run_whose_result_cannot_be_stored_is_stored_as_failed() -> None:
    stored: list[Any] = []

    def finish(run: Run) -> None:
        if run.end is not None and run.end.type is EventType.FINAL:
            raise OSError
        stored.append(run.end)

    made = run_of(working(FINAL))
    run = Run(made.capability, made.context, begin=lambda run: None, finish=finish, timeout=20)
    with pytest.raises(StorageUnavailable):
        collect(run)
    assert [end.data["code"] for end in stored] == [ErrorCode.STORAGE_UNAVAILABLE]


async def test_a_pattern_that_is_none_hides_the_fault_and_not_the_end(settings: Any) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = ["("]
    events = await events_of(run_of(working(raising=RuntimeError("x"))))
    assert events[-1].data["code"] == ErrorCode.INTERNAL_ERROR
