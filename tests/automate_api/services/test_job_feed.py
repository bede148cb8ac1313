"""Following the logs of jobs: who is woken when, what is kept, and what is not."""

import gc
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from automate_api.engine.events import EventType, RunEvent
from automate_api.ids import uuid7
from automate_api.models import Job, JobEvent
from automate_api.services import job_feed
from automate_api.services.job_feed import PAGE, PAGE_BYTES, Feed, Listener, read_frames
from automate_api.services.job_log import append_end, append_events
from automate_api.services.jobs import create_job
from automate_api.services.runs import prepare_execution
from automate_api.v1.job_events import JobEventStream
from tests.factories import make_actor, make_endpoint
from tests.servers import until

FINAL = RunEvent(EventType.FINAL, {"output": "done", "usage": None, "cost": None})


class Nobody:
    """A dispatcher that leaves jobs where they are."""

    def enqueue(self, job_id: UUID, *, delay: float, priority: int) -> None:
        """Do nothing."""


@pytest.fixture(autouse=True)
def _no_worker(settings: Any) -> None:
    settings.AUTOMATE_API_JOB_DISPATCHER = f"{__name__}.Nobody"


def make_job() -> Job:
    """A job that waits; its log has one event."""
    return create_job(prepare_execution(make_endpoint(), actor=make_actor(), correlation_id="c", input="Hello"))


def line(text: str = "x") -> RunEvent:
    return RunEvent(EventType.LOG, {"level": "info", "message": text})


def log(job: Job, *events: RunEvent) -> None:
    """Append to the log of a job."""
    with transaction.atomic():
        assert append_events(Job.objects.filter(pk=job.pk), job, events, {})


def end(job: Job) -> None:
    with transaction.atomic():
        assert append_end(Job.objects.filter(pk=job.pk), job, FINAL)


class Woken:
    """A listener that counts how often it was woken."""

    def __init__(self, feed: Feed, job_id: UUID) -> None:
        self.count = 0
        self.listener = Listener(job_id, self._wake)
        feed._thread = feed._thread or threading.current_thread()  # looks are the test's
        feed.join(self.listener)

    def _wake(self) -> None:
        self.count += 1


@pytest.fixture
def feed() -> Feed:
    """One without a thread: the test looks itself."""
    return Feed()


def sequences(frames: Any) -> list[int]:
    return [frame.sequence for frame in frames]


@pytest.mark.django_db
def test_a_listener_is_woken_by_what_is_new_and_by_nothing_else(feed: Feed) -> None:
    job, other = make_job(), make_job()
    woken = Woken(feed, job.pk)
    feed.look()
    assert woken.count == 1  # it may have missed something before
    feed.look()
    log(other, line())
    feed.look()
    assert woken.count == 1
    log(job, line(), line())
    feed.look()
    assert woken.count == 2
    assert sequences(feed.frames_after(job.pk, 1) or []) == [2, 3]
    assert sequences(feed.frames_after(job.pk, 2) or []) == [3]
    assert feed.frames_after(job.pk, 3) == []


@pytest.mark.django_db
def test_who_is_further_behind_than_what_is_kept_reads_the_database(feed: Feed) -> None:
    job = make_job()
    woken = Woken(feed, job.pk)
    assert feed.frames_after(job.pk, 0) is None
    feed.look()
    assert feed.frames_after(job.pk, 0) is None
    for _ in range(3):
        log(job, *[line()] * 100)
        feed.look()
    assert feed.frames_after(job.pk, 100) is None
    assert len(feed.frames_after(job.pk, 301 - PAGE) or []) == PAGE
    assert sequences(read_frames(job.pk, 0)) == list(range(1, PAGE + 1))
    assert woken.count == 4


@pytest.mark.django_db
def test_a_long_batch_is_caught_up_with_page_by_page(feed: Feed) -> None:
    job = make_job()
    woken = Woken(feed, job.pk)
    feed.look()
    log(job, *[line()] * (PAGE + 50))
    end(job)
    feed.look()
    assert not feed.has_ended(job.pk)
    assert feed._news.is_set()
    feed.look()
    assert feed.has_ended(job.pk)
    assert (feed.frames_after(job.pk, PAGE + 51) or [])[-1].is_last
    assert woken.count == 3


@pytest.mark.django_db
def test_of_huge_events_one_is_read_and_kept_at_a_time(feed: Feed) -> None:
    job = make_job()
    woken = Woken(feed, job.pk)
    feed.look()
    for _ in range(3):
        log(job, *[line("x" * PAGE_BYTES)] * 2)
        feed.look()
        feed.look()
    assert sequences(read_frames(job.pk, 1)) == [2]
    assert sequences(feed.frames_after(job.pk, 6) or []) == [7]
    assert feed.frames_after(job.pk, 5) is None
    assert woken.count == 7
    log(job, line())
    feed.look()
    # The huge one has made room.
    assert sequences(feed.frames_after(job.pk, 7) or []) == [8]


@pytest.mark.django_db
def test_a_job_that_is_deleted_has_ended(feed: Feed) -> None:
    job = make_job()
    woken = Woken(feed, job.pk)
    feed.look()
    job.execution.delete()
    feed.look()
    assert feed.has_ended(job.pk)
    feed.look()
    assert woken.count == 2


@pytest.mark.django_db
def test_any_number_of_listeners_to_one_job_takes_one_query(feed: Feed) -> None:
    job = make_job()
    everybody = [Woken(feed, job.pk) for _ in range(500)]
    feed.look()
    with CaptureQueriesContext(connection) as queries:
        feed.look()
    assert len(queries) == 1
    log(job, line())
    with CaptureQueriesContext(connection) as queries:
        feed.look()
    assert len(queries) == 2
    assert {woken.count for woken in everybody} == {2}


@pytest.mark.django_db
def test_a_thousand_jobs_take_few_queries(feed: Feed) -> None:
    everybody = [Woken(feed, uuid7()) for _ in range(1200)]
    with CaptureQueriesContext(connection) as queries:
        feed.look()
    assert len(queries) == 3
    assert {woken.count for woken in everybody} == {1}


@pytest.mark.django_db
def test_nothing_is_kept_of_a_job_that_nobody_listens_to(feed: Feed) -> None:
    job = make_job()
    left, dropped = Woken(feed, job.pk), Woken(feed, uuid7())
    feed.leave(left.listener)
    feed.leave(left.listener)
    del dropped
    gc.collect()
    feed.look()
    assert feed._channels == {}


@pytest.mark.django_db
def test_the_last_event_is_sent_even_if_the_job_ends_between_two_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that finds nothing new must not conclude from a later answer that there was nothing."""
    job, feed = make_job(), Feed()
    feed._thread = threading.current_thread()
    monkeypatch.setattr(job_feed, "feed", feed)
    stream = JobEventStream(job, after=1, is_async=False)
    content = iter(stream.streaming_content)
    assert next(content) == b"retry: 1000\n\n"
    feed.look()
    kept = stream._kept

    def ends_meanwhile() -> Any:
        found = kept()
        if job.finished_at is None:
            job.finished_at = job.created_at
            end(job)
            feed.look()
        return found

    monkeypatch.setattr(stream, "_kept", ends_meanwhile)
    assert b"event: final" in b"".join(content)
    assert feed._channels == {}


@pytest.mark.django_db
def test_a_log_that_was_pruned_whole_ends_with_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    job, feed = make_job(), Feed()
    feed._thread = threading.current_thread()
    monkeypatch.setattr(job_feed, "feed", feed)
    end(job)
    JobEvent.objects.all().delete()
    content = iter(JobEventStream(job, after=0, is_async=False).streaming_content)
    assert next(content) == b"retry: 1000\n\n"
    feed.look()
    assert list(content) == []


# -- the thread ------------------------------------------------------------------------------------------------------


@pytest.fixture
def running(transactional_db: None) -> Iterator[Feed]:
    """One with a thread."""
    feed = Feed()
    yield feed
    for channel in list(feed._channels.values()):
        for listener in list(channel.listeners):
            feed.leave(listener)
    feed._news.set()
    assert until(lambda: not feed._wanted.is_set())


class Waiting:
    """A listener that can be waited for."""

    def __init__(self, feed: Feed, job_id: UUID) -> None:
        self.news = threading.Event()
        self.listener = Listener(job_id, self.news.set)
        feed.join(self.listener)

    def is_woken(self) -> bool:
        """Whether it is woken within 20 seconds, and not since it was last asked."""
        found = self.news.wait(20)
        self.news.clear()
        return found


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch, running: Feed) -> Feed:
    """One that looks every hour, or when it is told to."""
    monkeypatch.setattr(job_feed, "POLL", 3600)
    monkeypatch.setattr(job_feed, "feed", running)
    return running


def test_what_this_process_appends_is_seen_at_once(patient: Feed) -> None:
    job = make_job()
    waiting = Waiting(patient, job.pk)
    assert waiting.is_woken()
    for expected in range(2, 5):
        log(job, line())
        assert waiting.is_woken()
        assert sequences(patient.frames_after(job.pk, expected - 1) or []) == [expected]
    end(job)
    assert waiting.is_woken()
    assert patient.has_ended(job.pk)


def test_what_another_process_appends_is_seen_soon(running: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Feed, "news", lambda feed, job_id: None)
    job = make_job()
    waiting = Waiting(running, job.pk)
    assert waiting.is_woken()
    log(job, line())
    assert waiting.is_woken()
    assert sequences(running.frames_after(job.pk, 1) or []) == [2]


def test_a_database_that_fails_for_a_while_keeps_nobody_waiting_afterwards(
    running: Feed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    job, look = make_job(), running.look
    errors: list[Exception] = [DatabaseError("gone"), ValueError("what is that?")]

    def fails_first() -> None:
        if errors:
            raise errors.pop()
        look()

    monkeypatch.setattr(running, "look", fails_first)
    waiting = Waiting(running, job.pk)
    assert waiting.is_woken()
    assert [record.args for record in caplog.records] == [("ValueError",), ("DatabaseError",)]


def test_it_sleeps_without_listeners_and_wakes_with_the_next(running: Feed) -> None:
    first, second = make_job(), make_job()
    waiting = Waiting(running, first.pk)
    assert waiting.is_woken()
    thread = running._thread
    running.leave(waiting.listener)
    assert until(lambda: not running._wanted.is_set())
    later = Waiting(running, second.pk)
    assert later.is_woken()
    assert running._thread is thread


def test_a_child_of_a_fork_has_a_feed_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = job_feed.feed
    monkeypatch.setattr(job_feed, "feed", parents)
    monkeypatch.setattr(job_feed, "_at_work", job_feed._at_work)
    job_feed._begin_anew()
    assert job_feed.feed is not parents
    assert job_feed.feed._thread is None


def test_a_fork_waits_until_the_thread_is_out_of_the_database(running: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise one of four children, forked while the first listener came, waited for SQLite's locks for ever."""
    looking, may_end, look = threading.Event(), threading.Event(), running.look

    def slow() -> None:
        looking.set()
        may_end.wait(20)
        look()

    monkeypatch.setattr(running, "look", slow)
    waiting = Waiting(running, uuid7())
    assert looking.wait(20)
    forked = threading.Event()

    def fork() -> None:
        job_feed._wait_for_the_thread()
        job_feed._let_the_thread_go_on()
        forked.set()

    forking = threading.Thread(target=fork)
    forking.start()
    assert not forked.wait(0.1)
    may_end.set()
    assert forked.wait(20)
    forking.join()
    assert waiting.is_woken()


def test_a_fork_does_not_wait_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_feed, "LONGEST_LOOK", 0.01)
    held, may_end = threading.Event(), threading.Event()

    def hang() -> None:
        with job_feed._at_work:
            held.set()
            may_end.wait(20)

    hanging = threading.Thread(target=hang)
    hanging.start()
    assert held.wait(20)
    job_feed._wait_for_the_thread()
    job_feed._let_the_thread_go_on()
    may_end.set()
    hanging.join()
    assert job_feed._forking == []
