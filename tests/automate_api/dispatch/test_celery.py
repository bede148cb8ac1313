"""Jobs by Celery: what stands in the message. That it arrives is shown in `tests/jobs/test_kill.py`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery, current_app
from kombu import Connection

from automate_api.dispatch.celery import CeleryDispatcher, run_job
from automate_api.ids import uuid7
from tests.jobs.making import chat_endpoint, fresh, make_job
from tests.services import REDIS_URL
from tests.upstream import FakeUpstream


@contextmanager
def on_broker(url: str) -> Iterator[Connection]:
    """The broker at `url` for Celery's current app."""
    before = current_app._get_current_object()
    app = Celery("test", broker=url, set_as_current=True)
    try:
        with app.connection_for_read() as connection:
            yield connection
    finally:
        before.set_current()


@pytest.fixture
def broker() -> Iterator[Connection]:
    """One in this process's memory."""
    with on_broker("memory://") as connection:
        yield connection


def message_in(broker: Connection, queue: str) -> Any:
    with broker.SimpleQueue(queue) as messages:
        message = messages.get(timeout=20)
        message.ack()
        return message


def test_only_the_id_travels(broker: Connection) -> None:
    job_id = uuid7()
    CeleryDispatcher().enqueue(job_id, delay=0, priority=0)
    message = message_in(broker, "celery")
    args, kwargs, _callbacks = message.payload
    assert (message.headers["task"], args, kwargs) == ("automate_api.run_job", [str(job_id)], {})
    assert message.headers["eta"] is None


@pytest.mark.parametrize(("ours", "celerys"), [(-100, 0), (0, 4), (100, 9)])
def test_the_priority_is_one_of_celerys(broker: Connection, ours: int, celerys: int) -> None:
    CeleryDispatcher().enqueue(uuid7(), delay=0, priority=ours)
    assert message_in(broker, "celery").properties["priority"] == celerys


@pytest.mark.redis
def test_the_higher_priority_comes_first_on_redis() -> None:
    class Own(CeleryDispatcher):
        queue = f"test-{uuid7()}"

    jobs = {priority: uuid7() for priority in (0, -100, 100)}
    with on_broker(REDIS_URL) as broker:
        for priority, job_id in jobs.items():
            Own().enqueue(job_id, delay=0, priority=priority)
        came = [message_in(broker, Own.queue or "").payload[0][0] for _job in jobs]
    assert came == [str(jobs[100]), str(jobs[0]), str(jobs[-100])]


def test_a_later_attempt_has_its_time(broker: Connection) -> None:
    CeleryDispatcher().enqueue(uuid7(), delay=60, priority=0)
    eta = datetime.fromisoformat(message_in(broker, "celery").headers["eta"])
    assert timedelta(seconds=50) < eta - datetime.now(UTC) <= timedelta(seconds=60)


def test_a_host_chooses_the_queue(broker: Connection) -> None:
    class Own(CeleryDispatcher):
        queue = "own"

    Own().enqueue(uuid7(), delay=0, priority=0)
    assert message_in(broker, "own").headers["task"] == "automate_api.run_job"


def test_a_message_is_kept_until_the_job_was_worked_on() -> None:
    assert (run_job.acks_late, run_job.reject_on_worker_lost, run_job.ignore_result) == (True, True, True)


@pytest.mark.django_db(transaction=True)
def test_the_task_works_on_the_job(broker: Connection, upstream: FakeUpstream, settings: Any) -> None:
    settings.AUTOMATE_API_JOB_DISPATCHER = "automate_api.dispatch.celery.CeleryDispatcher"
    job = make_job(chat_endpoint(upstream))
    args, kwargs, _callbacks = message_in(broker, "celery").payload
    run_job(*args, **kwargs)
    run_job(*args, **kwargs)
    assert (fresh(job).status, fresh(job).attempts) == ("succeeded", 1)


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_fails_nobody(
    upstream: FakeUpstream, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.AUTOMATE_API_JOB_DISPATCHER = "automate_api.dispatch.celery.CeleryDispatcher"
    before = current_app._get_current_object()
    # Nothing listens at port 1.
    app = Celery("down", broker="redis://:password@127.0.0.1:1/0", set_as_current=True)
    app.conf.task_publish_retry = False
    job = make_job(chat_endpoint(upstream))
    before.set_current()
    assert fresh(job).status == "queued"
    assert f"Job {job.pk} could not be handed to a worker" in caplog.text
    assert "password" not in caplog.text
