"""Jobs by Django Tasks: only the id travels, and a backend that cannot wait leaves that to the reaper."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from automate_api.dispatch.tasks import TasksDispatcher, backend_of, run_job
from automate_api.ids import uuid7
from automate_api.services.reaper import reap
from tests.jobs.making import age, chat_endpoint, fresh, make_job
from tests.upstream import FakeUpstream

# `django.tasks` of Django 6, or the package.
TASKS = type(backend_of(TasksDispatcher)).__module__.partition(".backends")[0]


@pytest.fixture
def waiting(settings: Settings) -> Any:
    """A backend that keeps what is enqueued, and can wait."""
    settings.TASKS = {"default": {"BACKEND": f"{TASKS}.backends.dummy.DummyBackend"}}
    backend = backend_of(TasksDispatcher)
    backend.clear()
    yield backend
    backend.clear()


def test_only_the_id_travels(waiting: Any) -> None:
    job_id = uuid7()
    TasksDispatcher().enqueue(job_id, delay=0, priority=7)
    [result] = waiting.results
    assert (list(result.args), dict(result.kwargs), result.task.run_after) == ([str(job_id)], {}, None)
    assert result.task.priority == (7 if waiting.supports_priority else 0)


def test_a_later_attempt_waits_in_the_queue(waiting: Any) -> None:
    TasksDispatcher().enqueue(uuid7(), delay=60, priority=0)
    [result] = waiting.results
    assert timedelta(seconds=50) < result.task.run_after - timezone.now() <= timedelta(seconds=60)


def test_a_host_chooses_the_backend(settings: Settings) -> None:
    class Other(TasksDispatcher):
        backend = "other"

    dummy = {"BACKEND": f"{TASKS}.backends.dummy.DummyBackend"}
    settings.TASKS = {"default": dummy, "other": dummy}
    Other().enqueue(uuid7(), delay=0, priority=0)
    assert [len(backend_of(kind).results) for kind in (TasksDispatcher, Other)] == [0, 1]


@pytest.mark.django_db(transaction=True)
def test_a_task_that_is_delivered_late_does_nothing() -> None:
    assert run_job.func(str(uuid7())) is False


@pytest.mark.django_db(transaction=True)
def test_the_immediate_backend_runs_a_job_where_it_is_made(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream))
    assert fresh(job).status == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_the_immediate_backend_leaves_a_later_attempt_to_the_reaper(upstream: FakeUpstream) -> None:
    job = make_job(chat_endpoint(upstream, "flaky:503:1"))
    assert (fresh(job).status, reap().forgotten) == ("retrying", 0)
    age(job, 120)
    assert reap().forgotten == 1
    assert (fresh(job).status, fresh(job).attempts) == ("succeeded", 2)
