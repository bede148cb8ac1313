"""Jobs by Celery."""

from typing import Any
from uuid import UUID

from celery import shared_task

from automate_api.services.attempts import work_on

# Celery's own order is 0 to 9.
_HIGHEST, _RANGE = 9, 200


@shared_task(  # type: ignore[untyped-decorator,unused-ignore]
    name="automate_api.run_job", acks_late=True, reject_on_worker_lost=True, ignore_result=True, max_retries=None
)
def run_job(job_id: str) -> None:
    """Work on the job with this id, if there is anything to do."""
    work_on(UUID(job_id))


class CeleryDispatcher:
    """Sends the job's id to `queue`, or to Celery's default queue."""

    queue: str | None = None

    def enqueue(self, job_id: UUID, *, delay: float, priority: int) -> None:
        """Have a worker work on the job in `delay` seconds or later."""
        options: dict[str, Any] = {"countdown": delay} if delay else {}
        if self.queue:
            options["queue"] = self.queue
        run_job.apply_async((str(job_id),), priority=_celerys(priority), **options)


def _celerys(priority: int) -> int:
    """The priority as the broker orders it: on Redis the lowest comes first, elsewhere the highest."""
    place = round((priority + 100) * _HIGHEST / _RANGE)
    is_redis = run_job.app.connection_for_write().get_transport_cls().driver_type == "redis"
    return _HIGHEST - place if is_redis else place
