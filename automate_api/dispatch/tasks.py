"""Jobs by Django Tasks: `django.tasks` of Django 6, the package `django-tasks` on Django 5.2."""

from datetime import timedelta
from importlib.util import find_spec
from typing import Any
from uuid import UUID

from django.utils import timezone

from automate_api.services.attempts import work_on

if find_spec("django.tasks"):
    from django.tasks import task
else:
    from django_tasks import task  # type: ignore[no-redef,unused-ignore]

QUEUE = "default"


@task(queue_name=QUEUE)
def run_job(job_id: str) -> bool:
    """Work on the job with this id; whether there was anything to do."""
    return work_on(UUID(job_id))


class TasksDispatcher:
    """Enqueues on the default backend of `TASKS`, or on the one that a subclass names.

    A backend that cannot wait, such as Django's immediate one, leaves what is to be tried again later to the reaper.
    """

    backend = "default"

    def enqueue(self, job_id: UUID, *, delay: float, priority: int) -> None:
        """Have a worker work on the job in `delay` seconds or later, where the backend can wait."""
        chosen: Any = run_job.using(backend=self.backend)
        backend = backend_of(self)
        if delay and not backend.supports_defer:
            return
        options: dict[str, Any] = {"priority": priority} if backend.supports_priority else {}
        if delay:
            options["run_after"] = timezone.now() + timedelta(seconds=delay)
        chosen.using(**options).enqueue(str(job_id))


def backend_of(dispatcher: TasksDispatcher | type[TasksDispatcher]) -> Any:
    """The backend of `TASKS` that `dispatcher` enqueues on."""
    chosen: Any = run_job.using(backend=dispatcher.backend)
    return chosen.get_backend()
