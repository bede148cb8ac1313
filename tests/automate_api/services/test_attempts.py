"""An attempt at a job: claimed once, logged, tried again, stopped, and stored only by whoever holds it."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, OperationalError, connections, transaction
from django.utils import timezone
from pytest_django import Settings

from automate_api.engine.capability import RunContext
from automate_api.engine.events import EventType, RunEvent
from automate_api.events import at_depth, depth
from automate_api.exceptions import AutomateError, RunCancelled, UpstreamFailed
from automate_api.models import Execution, Job, JobEvent, JobStep, PromptLog, Provider
from automate_api.services import attempts
from automate_api.services.attempts import Attempt, work_on
from automate_api.services.jobs import cancel_job, create_job
from automate_api.services.reaper import reap
from automate_api.services.recording import Recorder
from automate_api.services.runs import prepare_call
from tests.factories import make_actor, make_provider
from tests.hosts.shop.models import Item
from tests.jobs.fixtures import Script, asked, write  # noqa: F401 - fixtures
from tests.jobs.making import KEY, age, chat_endpoint, fresh, kinds, last_of, make_job, written_endpoint
from tests.upstream import TEXT, FakeUpstream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]

Asked = list[tuple[Any, float]]


@contextmanager
def at_work(job: Job) -> Iterator[None]:
    """Work on the job in a thread meanwhile; it has ended afterwards."""

    def work() -> None:
        try:
            work_on(job.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(work)
        yield
        working.result(20)


def let_all(upstream: FakeUpstream) -> None:
    """Let a `gated` answer go on to its end."""
    for _ in range(20):
        upstream.allow()


def test_a_job_is_run_logged_and_stored(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream))
    assert work_on(job.pk)
    job = fresh(job)
    assert (job.status, job.attempts, job.token, job.leased_until, job.error) == ("succeeded", 1, None, None, None)
    assert job.finished_at >= job.started_at
    assert kinds(job) == ["queued", "started", "token", "final"]
    assert last_of(job)["output"]["text"] == TEXT
    assert (job.execution.status, job.execution.output["text"]) == ("succeeded", TEXT)
    assert [step["status"] for step in job.execution.steps] == ["succeeded"]
    assert PromptLog.objects.get().execution == job.execution


def test_a_late_redelivery_does_nothing(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream))
    assert [work_on(job.pk) for _ in range(3)] == [True, False, False]
    assert not work_on(uuid4())
    assert len(upstream.requests) == 1


def test_a_job_that_somebody_works_on_is_not_claimed_again(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream, "gated:1"))
    with at_work(job):
        assert upstream.until(lambda: upstream.requests)
        assert not work_on(job.pk)
        let_all(upstream)
    assert (fresh(job).status, fresh(job).attempts) == ("succeeded", 1)


def test_of_many_workers_at_once_one_has_the_job(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream))

    def work(_number: int) -> bool:
        try:
            return work_on(job.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(work, range(8))) == 1
    assert len(upstream.requests) == 1


def test_a_job_that_comes_too_early_is_handed_out_again(upstream: FakeUpstream, asked: Asked) -> None:  # noqa: F811
    job = make_job(chat_endpoint(upstream))
    age(job, -60)
    asked.clear()
    assert not work_on(job.pk)
    assert asked == [(job.pk, 1.0)]


def test_a_failing_model_server_is_asked_again_after_a_while(upstream: FakeUpstream, asked: Asked) -> None:  # noqa: F811
    job = make_job(chat_endpoint(upstream, "flaky:503:1"))
    work_on(job.pk)
    waiting = fresh(job)
    assert (waiting.status, waiting.execution.status, waiting.token) == ("retrying", "queued", None)
    assert last_of(job) == {"attempt": 2, "after_seconds": 10.0, "code": "upstream_failed"}
    assert 5 < (waiting.not_before - timezone.now()).total_seconds() <= 10
    assert asked[-1] == (job.pk, 10.0)
    assert waiting.request
    age(job, 10)
    work_on(job.pk)
    done = fresh(job)
    assert kinds(job) == ["queued", "started", "retry", "started", "token", "final"]
    assert (done.status, done.attempts, done.execution.status) == ("succeeded", 2, "succeeded")
    assert [step["status"] for step in done.execution.steps] == ["failed", "succeeded"]


def test_each_wait_is_twice_the_one_before(settings: Settings) -> None:
    settings.AUTOMATE_API_JOB_BACKOFF = 3
    assert [attempts.backoff(number) for number in (1, 2, 3)] == [3, 6, 12]


def test_a_model_server_that_says_when_is_not_asked_before(upstream: FakeUpstream, asked: Asked) -> None:  # noqa: F811
    job = make_job(chat_endpoint(upstream, "status:429:40"))
    work_on(job.pk)
    assert asked[-1] == (job.pk, 40.0)
    assert (fresh(job).not_before - timezone.now()).total_seconds() > 30


def test_what_a_job_does_is_done_at_its_depth_in_whatever_thread(write: Any) -> None:  # noqa: F811
    seen: list[int] = []

    async def look(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        seen.append(depth.get())
        seen.append(await ctx.db(depth.get))
        seen.append(await ctx.once("step", depth.get))
        seen.append(await asyncio.create_task(ctx.db(lambda: make_job(endpoint).depth)))
        yield RunEvent(EventType.LOG, {"level": "info", "message": "seen"})

    write(look)
    endpoint = written_endpoint()
    with at_depth(4):
        job = make_job(endpoint)
    with at_depth(1):
        work_on(job.pk)
        assert depth.get() == 1
    assert (fresh(job).status, seen) == ("succeeded", [4, 4, 4, 4])


def test_a_model_server_that_asks_for_an_hour_is_asked_by_the_reaper(upstream: FakeUpstream, asked: Asked) -> None:  # noqa: F811
    job = make_job(chat_endpoint(upstream, "status:429:3600"))
    asked.clear()
    work_on(job.pk)
    assert (fresh(job).enqueued_at, reap().waited, asked) == (None, 0, [])
    age(job, 3600)
    assert (reap().waited, asked) == (1, [(job.pk, 0.0)])


def test_what_an_apps_error_says_is_worth_another_try_is_tried_again(write: Any) -> None:  # noqa: F811
    class TooBusy(AutomateError):
        is_worth_another_try, retry_after = True, 7.0

    async def busy(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        for event in ():
            yield event
        raise (AutomateError if ctx.attempt == 2 else TooBusy)

    write(busy)
    job = make_job(written_endpoint())
    work_on(job.pk)
    assert (fresh(job).status, last_of(job)["after_seconds"]) == ("retrying", 10.0)
    age(job, 10)
    work_on(job.pk)
    assert (fresh(job).status, fresh(job).attempts) == ("failed", 2)


def test_the_last_attempts_error_is_the_jobs(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream, "status:503"), max_attempts=2)
    work_on(job.pk)
    age(job, 60)
    work_on(job.pk)
    job = fresh(job)
    assert (job.status, job.attempts, job.error["code"]) == ("failed", 2, "upstream_failed")
    assert (job.execution.status, job.execution.error["code"]) == ("failed", "upstream_failed")
    assert kinds(job) == ["queued", "started", "retry", "started", "error"]
    assert not work_on(job.pk)


@pytest.mark.parametrize("model", ["status:400", "status:401"])
def test_what_another_attempt_would_not_mend_has_none(upstream: FakeUpstream, model: str) -> None:
    job = make_job(chat_endpoint(upstream, model))
    work_on(job.pk)
    assert (fresh(job).status, kinds(job)[-1]) == ("failed", "error")


def test_an_attempt_that_takes_too_long_is_stopped(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream, "silent"), timeout_seconds=0.2)
    work_on(job.pk)
    assert (fresh(job).status, fresh(job).error["code"]) == ("failed", "run_timeout")
    assert upstream.requests[0].connection.closed.wait(20)


def test_a_running_job_that_is_cancelled_stops_calling_its_provider(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream, "gated:9"))
    with at_work(job):
        assert upstream.until(lambda: upstream.requests)
        upstream.allow()
        upstream.allow()
        while "token" not in kinds(job):
            threading.Event().wait(0.02)
        assert cancel_job(fresh(job)).status == "running"
        assert upstream.requests[0].connection.closed.wait(20)
    assert upstream.requests[0].connection.closed_by_client
    job = fresh(job)
    assert (job.status, job.execution.status, job.error) == ("cancelled", "cancelled", None)
    assert last_of(job) == {"partial": "0 "}
    assert job.execution.output == {"partial": "0 "}


def test_a_silent_job_that_is_cancelled_stops_too(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream, "silent"))
    with at_work(job):
        assert upstream.until(lambda: upstream.requests)
        cancel_job(fresh(job))
        assert upstream.requests[0].connection.closed.wait(20)
    assert fresh(job).status == "cancelled"


def test_a_cancelled_job_is_not_tried_again(write: Any, asked: Asked) -> None:  # noqa: F811
    job = make_job(written(write, cancel_then_fail))
    asked.clear()
    work_on(job.pk)
    assert (fresh(job).status, fresh(job).execution.status, asked) == ("cancelled", "cancelled", [])
    assert kinds(job)[-1] == "cancelled"
    assert last_of(job) == {"partial": "so far"}


async def cancel_then_fail(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
    yield RunEvent(EventType.TOKEN, {"text": "so far"})
    await ctx.db(lambda: cancel_job(Job.objects.get()))
    raise UpstreamFailed


def written(write: Any, script: Script) -> Any:  # noqa: F811
    write(script)
    return written_endpoint()


def test_what_was_sent_is_encrypted_and_forgotten_in_the_end(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream, "flaky:503:1"), given="a private matter")
    assert "private" not in job.request.ciphertext
    assert "private" in job.request.reveal()
    work_on(job.pk)
    assert fresh(job).request
    age(job, 60)
    work_on(job.pk)
    assert not fresh(job).request
    assert upstream.requests[-1].json["messages"][-1]["content"] == "a private matter"


def test_the_providers_key_stands_in_no_event(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream, "echo"), given=f"my key is {KEY}")
    work_on(job.pk)
    assert fresh(job).status == "succeeded"
    assert upstream.requests[0].headers["authorization"] == f"Bearer {KEY}"
    said = [str(data) for data in JobEvent.objects.values_list("data", flat=True)]
    assert any("my key is" in text for text in said)
    assert not any(KEY[:12] in text for text in [*said, str(fresh(job).execution.output)])


SPLIT = "sk-split-0123456789abcdef"


def texts(job: Job) -> list[str]:
    """The tokens of the job's log, one after the other, after a look at its sequence."""
    last_of(job)
    return [event.data["text"] for event in job.events.order_by("sequence") if event.type == "token"]


def saying(*pieces: str) -> list[RunEvent]:
    return [RunEvent(EventType.TOKEN, {"text": piece}) for piece in pieces]


def in_rows(pieces: Iterable[RunEvent]) -> Script:
    """Says each piece when the one before has been given to the log."""

    async def script(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        for place, piece in enumerate(pieces):
            yield piece
            yield RunEvent(EventType.PROGRESS, {"done": place})
            while not await ctx.db(Job.objects.filter(progress={"done": place}).exists):
                await asyncio.sleep(0.01)

    return script


def test_a_secret_is_not_stored_that_comes_in_several_entries_of_the_log(write: Any) -> None:  # noqa: F811
    job = make_job(written(write, in_rows(saying("The key ", *SPLIT, " is it. ", "Not s"))))
    work_on(job.pk)
    assert "".join(texts(job)) == "The key [redacted] is it. Not s"
    assert len(texts(job)) > 2
    assert all(f"-{SPLIT[8:12]}" not in text for text in texts(job))
    kept = list(job.events.order_by("sequence"))
    assert (kept[-1].type, kept[-2].type, kept[-2].data) == ("final", "token", {"text": "s"})


@pytest.mark.parametrize("max_attempts", [1, 2])
def test_what_was_held_back_is_stored_before_a_retry_and_before_the_end(write: Any, max_attempts: int) -> None:  # noqa: F811
    async def script(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield saying("so s")[0]
        raise UpstreamFailed

    job = make_job(written(write, script), max_attempts=max_attempts)
    work_on(job.pk)
    assert texts(job) == ["so ", "s"]
    assert kinds(job) == ["queued", "started", "token", "retry" if max_attempts > 1 else "error"]


def test_what_was_held_back_is_stored_before_a_cancellation(write: Any) -> None:  # noqa: F811
    job = make_job(written(write, cancel_then_fail), max_attempts=2)
    work_on(job.pk)
    assert "".join(texts(job)) == "so far"
    assert kinds(job)[-1] == "cancelled"


def test_whatever_else_a_run_says_is_redacted_in_every_row(write: Any) -> None:  # noqa: F811
    async def script(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield RunEvent(EventType.PROGRESS, {"done": 1, "message": f"with {SPLIT}\x00"})
        yield RunEvent(EventType.LOG, {"level": "info", "message": f"with {SPLIT}"})
        yield RunEvent(EventType.RETRY, {"attempt": 2, "after_seconds": 0, "code": SPLIT})
        yield saying(f"so far {SPLIT}")[0]
        raise UpstreamFailed(f"with {SPLIT}")

    job = make_job(written(write, script), max_attempts=1)
    work_on(job.pk)
    job = fresh(job)
    assert job.progress == {"done": 1, "message": "with [redacted]\ufffd"}
    assert job.error == job.execution.error == {"code": "upstream_failed", "detail": "with [redacted]"}
    assert job.execution.steps[0]["code"] == "[redacted]"
    assert last_of(job)["partial"] == "so far [redacted]"
    rows = [*JobEvent.objects.values_list("data"), *Job.objects.values_list("progress", "error")]
    assert SPLIT not in str([*rows, *Execution.objects.values_list("output", "error", "steps", "usage")])


def test_the_steps_of_an_attempt_that_is_tried_again_are_redacted_too(write: Any) -> None:  # noqa: F811
    async def script(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield RunEvent(EventType.RETRY, {"attempt": 2, "after_seconds": 0, "code": SPLIT})
        raise UpstreamFailed

    job = make_job(written(write, script), max_attempts=2)
    work_on(job.pk)
    assert fresh(job).status == "retrying"
    assert [step.get("code") for step in fresh(job).execution.steps] == ["[redacted]", "upstream_failed"]


def test_what_is_no_longer_held_is_not_stored(upstream: FakeUpstream, caplog: pytest.LogCaptureFixture) -> None:
    job = make_job(chat_endpoint(upstream, "gated:2"))
    with at_work(job):
        assert upstream.until(lambda: upstream.requests)
        Job.objects.update(token=uuid4())
        let_all(upstream)
    assert (fresh(job).status, fresh(job).execution.status) == ("running", "running")
    assert "final" not in kinds(job)
    assert "taken over" in caplog.text
    assert PromptLog.objects.count() == 0


def test_an_end_that_cannot_be_stored_at_first_is_stored_then(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(chat_endpoint(upstream))
    fail(monkeypatch, times=1)
    work_on(job.pk)
    assert (fresh(job).status, fresh(job).execution.status, len(upstream.requests)) == ("succeeded", "succeeded", 1)
    assert kinds(job).count("final") == 1


def test_a_job_whose_end_cannot_be_stored_is_tried_again_when_its_lease_is_over(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(chat_endpoint(upstream))
    with monkeypatch.context() as patch:
        fail(patch, times=99)
        assert work_on(job.pk)
    assert (fresh(job).status, "final" in kinds(job)) == ("running", False)
    age(job, 60)
    assert reap().jobs == 1
    work_on(job.pk)
    assert (fresh(job).status, fresh(job).attempts) == ("succeeded", 2)


def fail(monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
    """Let the database fail when the end of a run is stored."""
    store_end, left = Recorder.store_end, [None] * times

    def failing(self: Recorder, *args: Any, **kwargs: Any) -> None:
        if left:
            left.pop()
            raise OperationalError("gone")
        store_end(self, *args, **kwargs)

    monkeypatch.setattr(Recorder, "store_end", failing)


def test_a_job_outlives_the_user_who_asked_for_it(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream, "gated:1"))
    with at_work(job):
        assert upstream.until(lambda: upstream.requests)
        get_user_model().objects.filter(pk=job.user_id).delete()
        let_all(upstream)
    job = fresh(job)
    assert (job.status, job.user, job.execution.user, job.attempts) == ("succeeded", None, None, 1)


def test_a_job_that_is_deleted_meanwhile_is_no_failure(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream, "gated:1"))
    with at_work(job):
        assert upstream.until(lambda: upstream.requests)
        Execution.objects.all().delete()
        let_all(upstream)
    assert (Job.objects.count(), PromptLog.objects.count()) == (0, 0)


def test_what_is_switched_off_is_not_called(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream))
    Provider.objects.update(enabled=False)
    work_on(job.pk)
    assert (fresh(job).status, fresh(job).error["code"], upstream.requests) == ("failed", "conflict", [])
    assert fresh(job).execution.error == fresh(job).error


@pytest.mark.parametrize("fate", ["on", "off", "gone"])
def test_a_job_on_a_provider_alone_calls_it_as_it_is_then(upstream: FakeUpstream, fate: str) -> None:
    provider = make_provider(base_url=upstream.url, default_model="")
    given = {"messages": [{"role": "user", "content": "Hello"}]}
    how = {"actor": make_actor(), "correlation_id": "c", "input": given, "task_type": "openai.chat"}
    job = create_job(prepare_call(provider, "chat", **how))
    if fate == "gone":
        provider.delete()
    Provider.objects.update(enabled=fate == "on")
    work_on(job.pk)
    expected = {"on": ("succeeded", 1), "off": ("failed", 0), "gone": ("failed", 0)}
    assert (fresh(job).status, len(upstream.requests)) == expected[fate]
    assert fate == "on" or fresh(job).error["code"] == "conflict"


def test_without_the_keys_of_the_host_a_job_fails_and_says_so(upstream: FakeUpstream, settings: Settings) -> None:
    job = make_job(chat_endpoint(upstream))
    keys, settings.AUTOMATE_API_ENCRYPTION_KEYS = settings.AUTOMATE_API_ENCRYPTION_KEYS, []
    work_on(job.pk)
    settings.AUTOMATE_API_ENCRYPTION_KEYS = keys
    assert (fresh(job).status, fresh(job).error["code"]) == ("failed", "not_configured")


def test_a_capability_with_a_fault_is_not_tried_again(write: Any) -> None:  # noqa: F811
    async def script(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        yield RunEvent(EventType.PROGRESS, {"done": 1, "total": 2})
        raise ValueError("a fault")

    job = make_job(written(write, script))
    work_on(job.pk)
    assert (fresh(job).status, fresh(job).error["code"]) == ("failed", "internal_error")
    assert fresh(job).progress == {"done": 1, "total": 2}


# -- steps -----------------------------------------------------------------------------------------------------------


def put(name: str) -> Any:
    return Item.objects.create(name=name).pk


def test_a_step_is_done_once_for_all_attempts(write: Any) -> None:  # noqa: F811
    results = []

    async def script(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        results.append(await ctx.once("put", lambda: put("x")))
        if ctx.attempt == 1:
            raise UpstreamFailed
        yield RunEvent(EventType.PROGRESS, {"done": 1})

    job = make_job(written(write, script))
    work_on(job.pk)
    age(job, 60)
    work_on(job.pk)
    assert fresh(job).status == "succeeded"
    assert results == [Item.objects.get().pk] * 2


def test_a_step_that_is_asked_for_twice_at_once_is_done_once(write: Any) -> None:  # noqa: F811
    results = []

    async def script(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        results.extend(await asyncio.gather(*(ctx.once("put", lambda: put("x")) for _ in range(4))))
        yield RunEvent(EventType.PROGRESS, {"done": 1})

    job = make_job(written(write, script))
    work_on(job.pk)
    assert fresh(job).status == "succeeded"
    assert results == [Item.objects.get().pk] * 4


def test_a_step_that_fails_or_cannot_be_noted_is_not_done(write: Any) -> None:  # noqa: F811
    async def script(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        await ctx.once("put", lambda: [put("x"), object()])
        yield RunEvent(EventType.PROGRESS, {"done": 1})

    job = make_job(written(write, script))
    work_on(job.pk)
    assert (fresh(job).error["code"], Item.objects.count(), JobStep.objects.count()) == ("internal_error", 0, 0)


def test_a_step_may_make_a_job(write: Any) -> None:  # noqa: F811
    async def script(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        await ctx.once("next", lambda: str(make_job(endpoint, given="another").pk))
        yield RunEvent(EventType.PROGRESS, {"done": 1})

    endpoint = written(write, script)
    job = make_job(endpoint)
    work_on(job.pk)
    assert (fresh(job).status, Job.objects.count()) == ("succeeded", 2)


def test_who_has_lost_the_job_does_no_step(write: Any) -> None:  # noqa: F811
    seen: list[str] = []

    async def script(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        await ctx.db(lambda: Job.objects.update(token=uuid4()))
        try:
            await ctx.once("put", lambda: put("x"))
        except RunCancelled:
            seen.append("refused")
            raise
        yield RunEvent(EventType.PROGRESS, {"done": 1})

    job = make_job(written(write, script))
    work_on(job.pk)
    assert (seen, Item.objects.count(), fresh(job).status) == (["refused"], 0, "running")


# -- leases ----------------------------------------------------------------------------------------------------------


def claimed(endpoint: Any) -> Attempt:
    job = attempts._claimed(make_job(endpoint).pk)
    assert job is not None
    return Attempt(job)


def test_leases_are_renewed_only_by_whoever_holds_the_job(upstream: FakeUpstream) -> None:
    endpoint = chat_endpoint(upstream)
    mine, lost = claimed(endpoint), claimed(endpoint)
    Job.objects.filter(pk=lost.job.pk).update(token=uuid4())
    for attempt in (mine, lost):
        age(attempt.job, 60)
    Attempt.renew_all([mine, lost])
    assert set(Job.objects.abandoned()) == {lost.job}


@pytest.mark.postgres
def test_a_long_step_of_one_job_keeps_no_other_from_being_renewed(upstream: FakeUpstream) -> None:
    endpoint = chat_endpoint(upstream)
    busy, other = claimed(endpoint), claimed(endpoint)
    for attempt in (busy, other):
        age(attempt.job, 60)

    def renew() -> None:
        try:
            Attempt.renew_all([busy, other])
            assert reap().jobs == 0
        finally:
            connections.close_all()

    with transaction.atomic(), ThreadPoolExecutor(1) as thread:
        Job.objects.select_for_update().get(pk=busy.job.pk)
        thread.submit(renew).result(10)
    assert set(Job.objects.abandoned()) == {busy.job}


def test_a_database_that_fails_in_mid_run_stops_the_attempt(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*args: Any, **kwargs: Any) -> bool:
        raise DatabaseError("gone")

    job = make_job(chat_endpoint(upstream, "chunks:500:20"))
    monkeypatch.setattr(attempts, "append_events", failing)
    assert work_on(job.pk)
    assert upstream.until(lambda: all(connection.closed.is_set() for connection in upstream.connections))
    assert fresh(job).status == "running"
    assert "could not be stored: DatabaseError" in caplog.text
