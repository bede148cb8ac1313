"""`python -m benchmarks.jobs.speak SECONDS RATE EVERY JOB …`: append to the logs of jobs, as workers do."""

import os
import sys
import time
from uuid import UUID

import django


def main(seconds: float, rate: int, every: float, ids: list[UUID]) -> None:
    """Say `rate` things a second in each job's log, `every` so many seconds what came meanwhile; then end them.

    Each event says when it was said.
    """
    from automate_api.engine.events import EventType, RunEvent  # noqa: PLC0415 - models load after django.setup()
    from automate_api.models import Job  # noqa: PLC0415

    jobs = list(Job.objects.filter(pk__in=ids))
    start, began = time.monotonic(), time.time()
    for turn in range(round(seconds / every)):
        for place, job in enumerate(jobs):
            # Jobs do not all speak at the same moment.
            due = start + every * (turn + place / len(jobs))
            time.sleep(max(0.0, due - time.monotonic()))
            data = {"level": "info", "message": f"@{time.time():.4f}"}
            _append(job, [RunEvent(EventType.LOG, data)] * round(rate * every))
    for job in jobs:
        _append(job, [RunEvent(EventType.FINAL, {"output": None, "usage": None, "cost": None})])
    print(began, time.monotonic() - start)


def _append(job, events) -> None:  # type: ignore[no-untyped-def]  # models load after django.setup()
    from django.db import transaction  # noqa: PLC0415

    from automate_api.models import Job  # noqa: PLC0415
    from automate_api.services.job_log import append_end, append_events  # noqa: PLC0415
    from automate_api.services.recording import writing  # noqa: PLC0415

    held = Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING)
    with writing(), transaction.atomic():
        stored = append_end(held, job, events[0]) if events[0].is_terminal else append_events(held, job, events, {})
    if not stored:
        raise SystemExit("A job was not held.")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.jobs.settings")
    django.setup()
    main(float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), [UUID(text) for text in sys.argv[4:]])
