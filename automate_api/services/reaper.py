"""The reaper: returns what the dead held, and hands out again what the queue has lost."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Max, Q
from django.db.models.functions import Coalesce

from automate_api.conf import settings
from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import WorkerLost
from automate_api.models import Execution, Job
from automate_api.models.now import Now
from automate_api.services.endings import continue_job, end_job, registered_continuations
from automate_api.services.job_log import append_events, end_without_run, error_event
from automate_api.services.jobs import announce, due_in, enqueue
from automate_api.services.leases import from_now
from automate_api.services.recording import writing

# Rows looked at in one round.
_BATCH = 500

# A job that was handed out to no avail is so again after this share of the time it had waited then: a quarter.
_PATIENCE = 4


@dataclass(frozen=True, slots=True)
class Reaped:
    """What a round did: jobs of dead workers, jobs handed out again, executions of dead web processes.

    And jobs handed out whose time has come, and continuations that have been called late.
    """

    jobs: int
    forgotten: int
    executions: int
    waited: int = 0
    continued: int = 0


def reap() -> Reaped:
    """One round. Several reapers at once do no harm: each row is changed under the condition it was chosen by."""
    jobs = sum(_return(job) for job in Job.objects.abandoned()[:_BATCH])
    forgotten = sum(_hand_out_again(job) for job in _forgotten())
    waited = sum(_hand_out(job) for job in Job.objects.waited().order_by("not_before")[:_BATCH])
    late = Job.objects.to_continue().filter(continuation__in=registered_continuations())
    continued = sum(continue_job(job) for job in late.order_by("continues_at")[:_BATCH])
    return Reaped(jobs, forgotten, _end_executions(), waited, continued)


def _return(job: Job) -> bool:
    """Give a dead worker's job to the next, or end it where it was cancelled or tried often enough."""
    dead = Job.objects.abandoned().filter(pk=job.pk, token=job.token)
    over = Q(cancel_requested_at__isnull=False) | Q(attempts__gte=F("max_attempts"))
    # A dispatcher and receivers may do anything, so not while this process's other writers wait.
    if end_job(job, partial(_end, dead.filter(over), job)):
        announce(job)
        return True
    if _give_back(dead.exclude(over), job):
        enqueue(job)
        return True
    return False


def _end(dead: Any, job: Job) -> RunEvent | None:
    locked = _locked(dead)
    if locked is None:
        return None
    is_cancelled = locked.cancel_requested_at is not None
    return end_without_run(
        dead, job, RunEvent(EventType.CANCELLED, {"partial": ""}) if is_cancelled else error_event(WorkerLost())
    )


def _give_back(dead: Any, job: Job) -> bool:
    retry = RunEvent(EventType.RETRY, {"attempt": job.attempts + 1, "after_seconds": 0, "code": str(WorkerLost.code)})
    columns = {"status": Job.Status.RETRYING, "token": None, "leased_until": None, **due_in(0)}
    with writing(), transaction.atomic():
        if _locked(dead) is None or not append_events(dead, job, [retry], columns):
            return False
        Execution.objects.filter(pk=job.execution_id).update(status=Execution.Status.QUEUED)
    return True


def _locked(dead: Any) -> Job | None:
    """The row, locked. Whoever else has locked it is at work on it: there is no waiting for that."""
    job: Job | None = dead.select_for_update(skip_locked=True).first()
    return job


def _hand_out(job: Job) -> bool:
    """Hand out a job whose time has come, unless another reaper does."""
    with writing():
        if not Job.objects.waited().filter(pk=job.pk).update(enqueued_at=Now()):
            return False
    enqueue(job)
    return True


def _forgotten() -> Any:
    """Jobs that are due and that no worker will be told of: whoever enqueued or received them died in between.

    They are told from jobs that wait their turn in a long queue by what was enqueued after them: either something that
    was has begun, or nothing at all has for the time of a lease. That may be wrong, where all workers are busy or none
    is there, so a job that has waited long waits longer for the next time: the queue does not fill with copies.
    """
    lately = from_now(-settings.lease)
    overdue = _overdue()
    if not overdue.exists():
        return overdue.none()
    begun = Job.objects.filter(started_at__gte=lately).aggregate(last=Max("enqueued_at"))["last"]
    chosen = overdue if begun is None else overdue.filter(enqueued_at__lt=begun)
    return chosen.order_by("-priority", "enqueued_at")[:_BATCH]


def _overdue() -> Any:
    since = ExpressionWrapper(Now() - F("enqueued_at"), output_field=DurationField())
    times = ExpressionWrapper(since * _PATIENCE, output_field=DurationField())
    reached = ExpressionWrapper(F("not_before") + times, output_field=DateTimeField())
    # Nobody has a lease on them, which leads the index past those that wait for another day.
    overdue = Job.objects.due().filter(leased_until__isnull=True, enqueued_at__lte=from_now(-settings.lease))
    return overdue.annotate(reached=reached).filter(reached__gte=F("enqueued_at"))


def _hand_out_again(job: Job) -> bool:
    with writing():
        if not _overdue().filter(pk=job.pk).update(enqueued_at=Now()):
            return False
    enqueue(job)
    return True


def _end_executions() -> int:
    """End what web processes ran that are gone: by their lease, or where they died before the first heartbeat."""
    begun = ExpressionWrapper(F("created_at") + timedelta(seconds=settings.lease), output_field=DateTimeField())
    running = Execution.objects.annotate(ends=Coalesce("leased_until", begun)).filter(status=Execution.Status.RUNNING)
    dead = list(running.filter(job__isnull=True, ends__lte=Now()).values_list("pk", flat=True)[:_BATCH])
    # One that came to life in between has a lease again.
    unleased = Q(leased_until__isnull=True) | Q(leased_until__lte=Now())
    error = {"code": str(WorkerLost.code), "detail": str(WorkerLost.default_detail)}
    with writing():
        chosen = Execution.objects.filter(unleased, pk__in=dead, status=Execution.Status.RUNNING)
        ended: int = chosen.update(status=Execution.Status.FAILED, error=error, finished_at=Now())
    return ended
