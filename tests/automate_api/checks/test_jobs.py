"""A host whose jobs would reach no worker, or two at once, is told so."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import pytest
from asgiref.local import Local
from django.core.checks import CheckMessage
from django.test import override_settings
from pytest_django import Settings

from automate_api.dispatch.tasks import TasksDispatcher, run_job
from tests.checking import found, ids

TASKS_DB = "django_tasks_db.DatabaseBackend"
#: What the others find depends on the database and the cache of the run.
OF_JOBS = {f"automate_api.{number}" for number in ("E025", "W026", "E027", "E028", "W029")}


class OnPaper:
    """A dispatcher of a host's own, without Django Tasks."""

    def enqueue(self, job_id: UUID, *, delay: float, priority: int) -> None:
        """Write it down."""


class Elsewhere(TasksDispatcher):
    """On a backend that `TASKS` does not have."""

    backend = "elsewhere"


class Silent:
    """No dispatcher."""


def needs_arguments(name: str) -> None:
    """No dispatcher either."""


@pytest.fixture
def tasks() -> Iterator[Any]:
    """Set `TASKS`."""

    def forget() -> None:
        # As the app django_tasks does at a changed setting, where it is installed.
        handler = _handler()
        handler._settings = handler.settings = handler.configure_settings(None)
        handler._connections = Local()

    with ExitStack() as changed:

        def choose(**backends: str) -> None:
            changed.enter_context(override_settings(TASKS={key: {"BACKEND": path} for key, path in backends.items()}))
            forget()

        yield choose
    forget()


def _handler() -> Any:
    module = type(run_job).__module__.partition(".base")[0]
    return __import__(module, fromlist=["task_backends"]).task_backends


def _backends(name: str) -> str:
    return f"{type(run_job).__module__.partition('.base')[0]}.backends.{name}"


def message(name: str) -> CheckMessage:
    return next(message for message in found(deploy=True) if message.id == f"automate_api.{name}")


@pytest.mark.parametrize("path", ["nowhere.Dispatcher", f"{__name__}.Silent", f"{__name__}.needs_arguments"])
def test_a_dispatcher_that_is_none_is_an_error(settings: Settings, path: str) -> None:
    settings.AUTOMATE_API_JOB_DISPATCHER = path
    assert ids() == {"automate_api.E025"}
    assert path in message("E025").msg


def test_a_dispatcher_without_its_backend_is_an_error(settings: Settings) -> None:
    settings.AUTOMATE_API_JOB_DISPATCHER = f"{__name__}.Elsewhere"
    assert ids() == {"automate_api.E025"}


@pytest.mark.parametrize("path", [f"{__name__}.OnPaper", "automate_api.dispatch.celery.CeleryDispatcher"])
def test_other_dispatchers_have_nothing_to_do_with_tasks(settings: Settings, path: str) -> None:
    settings.AUTOMATE_API_JOB_DISPATCHER = path
    assert ids(deploy=True) & OF_JOBS == set()


@pytest.mark.parametrize(
    ("backend", "how"), [("immediate.ImmediateBackend", "inside the request"), ("dummy.DummyBackend", "never")]
)
def test_jobs_without_workers_are_a_warning_in_production(
    settings: Settings, tasks: Any, backend: str, how: str
) -> None:
    tasks(default=_backends(backend))
    assert ids() == set()
    assert how in message("W026").msg
    settings.DEBUG = True
    assert "automate_api.W026" not in ids(deploy=True)


def test_a_queue_without_its_table_is_an_error(tasks: Any) -> None:
    tasks(default=TASKS_DB)
    assert ids(deploy=True) & OF_JOBS == {"automate_api.E027"}


def test_a_backend_that_does_not_exist_is_an_error(tasks: Any) -> None:
    tasks(default="nowhere.Backend")
    assert ids() == {"automate_api.E025"}


@pytest.mark.parametrize(
    ("lease", "heartbeat", "expected"),
    [
        (30, 10, set()),
        (1, 1 / 3, set()),
        (30, 12, {"automate_api.W029"}),
        (30, 15, {"automate_api.E028"}),
        (30, 60, {"automate_api.E028"}),
        ("long", 10, {"automate_api.E018"}),
    ],
)
def test_a_lease_is_three_heartbeats(settings: Settings, lease: Any, heartbeat: float, expected: set[str]) -> None:
    settings.AUTOMATE_API_LEASE, settings.AUTOMATE_API_HEARTBEAT = lease, heartbeat
    assert ids() == expected
