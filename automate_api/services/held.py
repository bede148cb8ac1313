"""What every attempt at a job stores, in as few statements as can be, each put together once: its claim and its end."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from automate_api.conf import settings
from automate_api.engine.events import EventType, RunEvent
from automate_api.models import Execution, Job
from automate_api.models.now import Now
from automate_api.models.prepared import PreparedSelect, PreparedUpdate
from automate_api.services.job_log import append_rows, end_columns, redacted_event
from automate_api.services.leases import from_now
from automate_api.services.recording import writing

_jobs = PreparedSelect(Job, by=("id",), related=("execution",))
_executions = PreparedUpdate(Execution, by=("id",), columns=("status",))


def claim_job(job_id: UUID) -> Job | None:
    """Claim the job, if it is due: of many workers one has it, and a late redelivery has nothing.

    The event `started` is logged with it. What is returned has its execution, and knows its last event for as long as
    it is held, since nobody else appends to its log meanwhile.
    """
    with writing(), transaction.atomic():
        if not _claim(settings.lease, django_settings.USE_TZ).update(job_id, token=uuid4()):
            return None
        # Read before anybody else may have taken it over.
        job = _jobs.get(job_id)
        if job is None:
            return None
        job.execution.status = Execution.Status.RUNNING
        _executions.update(job.execution_id, status=Execution.Status.RUNNING)
        append_rows(job, [RunEvent(EventType.STARTED, {"attempt": job.attempts})], last=job.last_event)
    return job


def end_held_job(job: Job, end: RunEvent, *, secrets: Sequence[str], rest: Sequence[RunEvent] = ()) -> RunEvent | None:
    """Append the terminal event and end the job, inside the caller's transaction.

    `rest` are events that come before it and have been redacted. Returns the event as it is stored, or None where the
    job is no longer held.
    """
    end = redacted_event(end, secrets)
    last = job.last_event + len(rest) + 1
    columns = end_columns(end)
    held = _end(django_settings.USE_TZ)
    if not held.update(job.pk, job.token, last_event=last, status=columns["status"], error=columns["error"]):
        return None
    append_rows(job, [*rest, end], last=last, secrets=None)
    return end


@cache
def _claim(lease: float, _use_tz: bool) -> PreparedUpdate:
    expressions: dict[str, Any] = {
        "status": Job.Status.RUNNING,
        "leased_until": from_now(lease),
        "attempts": F("attempts") + 1,
        "last_event": F("last_event") + 1,
        "started_at": Coalesce("started_at", Now()),
    }
    return PreparedUpdate(Job, by=("id",), columns=("token",), also=expressions, rows=lambda rows: rows.due())


@cache
def _end(_use_tz: bool) -> PreparedUpdate:
    return PreparedUpdate(
        Job,
        by=("id", "token"),
        columns=("last_event", "status", "error"),
        also={"finished_at": Now(), "token": None, "leased_until": None, "request": ""},
        rows=lambda rows: rows.filter(status=Job.Status.RUNNING),
    )
