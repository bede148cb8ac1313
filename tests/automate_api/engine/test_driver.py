"""The driver decides how a run ended, and nothing else does."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from typing import Any
from uuid import uuid4

import pytest

from automate_api.engine.capability import Capability, RunContext
from automate_api.engine.driver import Run
from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import ErrorCode, StorageUnavailable, UpstreamBrokeOff
from automate_api.llm.types import LLMTarget

FINAL = RunEvent(EventType.FINAL, {"output": {"text": "ab"}, "usage": None, "cost": None})
KEY = "sk-canary-0123456789"


def token(text: str) -> RunEvent:
    return RunEvent(EventType.TOKEN, {"text": text})


def run_of(work: Callable[[RunContext], AsyncGenerator[RunEvent, None]], timeout: float = 5) -> Run:
    class Work(Capability):
        task_type = "test.work"

        def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
            return work(ctx)

    target = LLMTarget("http://127.0.0.1:1/v1", KEY, "m", "p", 5, 0)
    context = RunContext(run_id=uuid4(), tenant_id="t", correlation_id="c", input="x", llm=target)
    return Run(Work(), context, begin=lambda run: None, finish=lambda run: None, timeout=timeout)


async def events_of(run: Run) -> list[RunEvent]:
    seen: list[RunEvent] = []

    async def emit(event: RunEvent) -> None:
        seen.append(event)

    await run.drive(emit)
    return seen


async def test_a_run_starts_speaks_and_ends_once() -> None:
    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield token("a")
        yield token("b")
        yield FINAL
        yield token("never heard")

    run = run_of(work)
    assert [event.type for event in await events_of(run)] == ["started", "token", "token", "final"]
    assert run.end == FINAL
    assert run.text == ["a", "b"]
    assert [step["status"] for step in run.steps] == ["succeeded"]


async def test_what_a_capability_raises_is_the_end_and_keeps_the_partial_text() -> None:
    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield token("half ")
        yield token("an answer")
        raise UpstreamBrokeOff

    run = run_of(work)
    end = (await events_of(run))[-1]
    assert end.type == "error"
    assert end.data["code"] == ErrorCode.UPSTREAM_BROKE_OFF
    assert end.data["partial"] == "half an answer"


async def test_a_capability_that_ends_without_a_result_has_failed() -> None:
    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield token("a")

    end = (await events_of(run_of(work)))[-1]
    assert (end.type, end.data["code"]) == ("error", ErrorCode.INTERNAL_ERROR)


async def test_an_unexpected_exception_tells_the_caller_nothing_and_the_log_no_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield token("a")
        raise RuntimeError(f"could not send {KEY}")

    with caplog.at_level(logging.ERROR):
        end = (await events_of(run_of(work)))[-1]
    assert end.data["code"] == ErrorCode.INTERNAL_ERROR
    assert "RuntimeError" in caplog.text
    assert KEY not in caplog.text + str(end)


async def test_a_run_that_takes_too_long_is_a_run_timeout() -> None:
    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield token("a")
        await asyncio.Event().wait()

    end = (await events_of(run_of(work, timeout=0.05)))[-1]
    assert end.data["code"] == ErrorCode.RUN_TIMEOUT


async def test_a_timeout_of_the_capability_itself_is_not_taken_for_the_runs() -> None:
    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield token("a")
        raise TimeoutError

    end = (await events_of(run_of(work)))[-1]
    assert end.data["code"] == ErrorCode.INTERNAL_ERROR


async def test_cancelling_closes_the_capability_and_counts_as_cancelled() -> None:
    closed = asyncio.Event()

    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        try:
            yield token("a")
            await asyncio.Event().wait()
        finally:
            closed.set()

    run, heard = run_of(work), asyncio.Event()

    async def emit(event: RunEvent) -> None:
        if event.type is EventType.TOKEN:
            heard.set()

    task = asyncio.create_task(run.drive(emit))
    await heard.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed.is_set()
    assert run.end == RunEvent(EventType.CANCELLED, {"partial": "a"})


async def test_each_attempt_is_a_step() -> None:
    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield RunEvent(EventType.RETRY, {"attempt": 2, "after_seconds": 0, "code": "upstream_failed"})
        yield FINAL

    run = run_of(work)
    await events_of(run)
    assert [(step["attempt"], step["status"], step.get("code")) for step in run.steps] == [
        (1, "failed", "upstream_failed"),
        (2, "succeeded", None),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_a_key_that_the_model_server_sends_back_is_masked_however_it_is_cut(size: int) -> None:
    said = f"the key is {KEY}, {KEY[:8]} and so on"

    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        for start in range(0, len(said), size):
            yield token(said[start : start + size])
        yield RunEvent(EventType.FINAL, {"output": {"text": said}, "usage": None, "cost": None})

    run = run_of(work)
    events = await events_of(run)
    heard = "".join(event.data["text"] for event in events if event.type == "token")
    assert heard == said.replace(KEY, "***")
    assert KEY not in str(events)


@pytest.mark.parametrize("word", ["text", "output", "none", "a"])
async def test_a_word_that_stands_in_for_a_key_is_not_masked(word: str) -> None:
    final = RunEvent(EventType.FINAL, {"output": {"text": f"say {word}"}, "usage": None, "cost": None})

    async def work(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield token(f"say {word}")
        yield final

    made = run_of(work)
    made.context.llm = LLMTarget("http://127.0.0.1:1/v1", word, "m", "p", 5, 0)
    run = Run(made.capability, made.context, begin=lambda run: None, finish=lambda run: None, timeout=20)
    assert (await events_of(run))[1:] == [token(f"say {word}"), final]


class Store:
    """Counts what a run stores, and fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.begun = self.finished = 0
        self.failures = failures

    def begin(self, run: Run) -> None:
        self.begun += 1

    def finish(self, run: Run) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError
        self.finished += 1


async def _never(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
    yield FINAL


def stored_run(store: Any) -> Run:
    run = run_of(_never)
    return Run(run.capability, run.context, begin=store.begin, finish=store.finish, timeout=20)


def test_a_run_is_finished_once() -> None:
    store = Store()
    run = stored_run(store)
    run.begin()
    run.finish()
    run.finish()
    assert (store.begun, store.finished) == (1, 1)
    assert run.end == RunEvent(EventType.CANCELLED, {"partial": ""})


def test_a_run_that_never_began_stores_nothing_and_cannot_begin_later() -> None:
    store = Store()
    run = stored_run(store)
    run.finish()
    with pytest.raises(Exception, match="cancelled"):
        run.begin()
    assert (store.begun, store.finished) == (0, 0)


def test_a_finish_that_failed_is_tried_again() -> None:
    store = Store(failures=1)
    run = stored_run(store)
    run.begin()
    with pytest.raises(StorageUnavailable):
        run.finish()
    run.finish()
    assert store.finished == 1
    assert run.end is not None
    assert run.end.data["code"] == ErrorCode.STORAGE_UNAVAILABLE
