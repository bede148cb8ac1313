"""Jobs reach a worker, and a process that lives is not taken for dead."""

import sys
from typing import Any

from django.apps import apps
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from automate_api.checks.reading import TAG, in_production
from automate_api.conf import settings

# Of Django and of django-tasks, by the ends of their paths: the one is not there where the other is.
_WITHOUT_WORKERS = {
    "backends.immediate.ImmediateBackend": "inside the request that makes them, and die with its process",
    "backends.dummy.DummyBackend": "never",
}
_TASKS_DB = "django_tasks_db"


@register(TAG)
def check_dispatcher(**kwargs: Any) -> list[CheckMessage]:
    """E025: `AUTOMATE_API_JOB_DISPATCHER` leads nowhere or is no dispatcher, or it has no queue to hand jobs to."""
    path = settings.job_dispatcher
    hint = "Leave it out for Django Tasks, or write 'automate_api.dispatch.celery.CeleryDispatcher'."
    try:
        _backend(_dispatcher())
    except Exception as exc:  # noqa: BLE001 - whatever keeps it from being made keeps jobs from their workers
        return [Error(f"AUTOMATE_API_JOB_DISPATCHER: {path}: {exc}", hint=hint, id="automate_api.E025")]
    return []


def _dispatcher() -> Any:
    """The host's dispatcher."""
    dispatcher = import_string(settings.job_dispatcher)()
    if not callable(getattr(dispatcher, "enqueue", None)):
        raise TypeError("This has no enqueue().")
    return dispatcher


def _backend(dispatcher: Any) -> Any:
    """The backend of `TASKS` that it hands jobs to, if it is of Django Tasks."""
    # Not imported here, since that fails where `TASKS` is wrong. It is there if the dispatcher is made of it.
    tasks: Any = sys.modules.get("automate_api.dispatch.tasks")
    return tasks.backend_of(dispatcher) if tasks and isinstance(dispatcher, tasks.TasksDispatcher) else None


def _backend_path() -> str:
    """The class of that backend by its path; empty where there is none, of which E025 tells."""
    try:
        backend = type(_backend(_dispatcher()))
    except Exception:  # noqa: BLE001 - as above
        return ""
    return f"{backend.__module__}.{backend.__qualname__}"


@in_production
def check_workers(**kwargs: Any) -> list[CheckMessage]:
    """W026: jobs are handed to no worker."""
    path = _backend_path()
    how = next((how for end, how in _WITHOUT_WORKERS.items() if path.endswith(end)), None)
    if how is None:
        return []
    message = f"Jobs run {how}: the backend of TASKS is {path}."
    hint = (
        "Install django-automate-api[worker], add 'django_tasks_db' to INSTALLED_APPS, set TASKS = {'default': "
        "{'BACKEND': 'django_tasks_db.DatabaseBackend'}} and start `manage.py automate_worker`; or use Celery. "
        "Silence this if nobody makes jobs."
    )
    return [checks.Warning(message, hint=hint, id="automate_api.W026")]


@register(TAG)
def check_queue(**kwargs: Any) -> list[CheckMessage]:
    """E027: the queue is a table that does not exist."""
    if apps.is_installed(_TASKS_DB) or not _backend_path().startswith(f"{_TASKS_DB}."):
        return []
    message = "Jobs cannot be handed out: TASKS names django_tasks_db's backend, and the app is not in INSTALLED_APPS."
    hint = "Add 'django_tasks_db' to INSTALLED_APPS, and migrate."
    return [Error(message, hint=hint, id="automate_api.E027")]


@register(TAG)
def check_heartbeat(**kwargs: Any) -> list[CheckMessage]:
    """E028, W029: a process may be taken for dead that is only late with its heartbeat."""
    try:
        lease, heartbeat = settings.lease, settings.heartbeat
    except (TypeError, ValueError):
        return []  # E018 tells of it
    said = f"AUTOMATE_API_LEASE is {lease:g} and AUTOMATE_API_HEARTBEAT {heartbeat:g}"
    hint = "Let the lease be three heartbeats or more."
    if lease <= 2 * heartbeat:
        message = f"{said}: with one heartbeat late, what a process is at work on is given to another."
        return [Error(message, hint=hint, id="automate_api.E028")]
    if round(3 * heartbeat, 6) > lease:
        message = f"{said}: two late heartbeats, and what a process is at work on is given to another."
        return [checks.Warning(message, hint=hint, id="automate_api.W029")]
    return []
