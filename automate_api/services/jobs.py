"""Jobs: make, cancel, and who is told. What workers do with them is in `attempts`."""

import json
import logging
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.engine.capability import get_capability
from automate_api.engine.events import EventType, RunEvent
from automate_api.events import depth
from automate_api.exceptions import Conflict, NotFound, PermissionDenied
from automate_api.models import Actor, Execution, Job
from automate_api.models.now import Now
from automate_api.models.prepared import PreparedInsert
from automate_api.services.endings import end_job
from automate_api.services.job_log import append_rows, end_without_run
from automate_api.services.leases import from_now
from automate_api.services.providers import secrets_of
from automate_api.services.recording import redact_asked, writing
from automate_api.services.secrets import encrypting
from automate_api.signals import job_ended

logger = logging.getLogger(__name__)

#: Seconds for which a queue may be asked to keep a job that is not due.
LONGEST_IN_QUEUE = 60.0

_executions = PreparedInsert(Execution)


class Dispatcher(Protocol):
    """Hands jobs to workers. Only ids travel; the job's row owns the truth."""

    def enqueue(self, job_id: UUID, *, delay: float, priority: int) -> None:
        """Have a worker call `attempts.work_on(job_id)` in `delay` seconds or later.

        One that cannot wait leaves a delayed job to the reaper.
        """


def create_job(
    execution: Execution,
    *,
    priority: int = 0,
    attempts: int | None = None,
    timeout: float | None = None,
    delay: float = 0.0,
    continuation: str = "",
) -> Job:
    """A job that carries `execution`, which is not stored yet; a worker begins it once both are committed.

    Args:
        execution: of `prepare_execution`, `prepare_replay` or `prepare_task`.
        priority: from -100 to 100; higher comes first, where the dispatcher knows priorities.
        attempts: how often it is tried before it has failed; `AUTOMATE_API_JOB_ATTEMPTS` where None.
        timeout: seconds that an attempt may take; `AUTOMATE_API_JOB_TIMEOUT` where None.
        delay: seconds before which it does not begin. Meanwhile it is a row and nothing else, if it is for more than
            `LONGEST_IN_QUEUE`: the reaper hands it out when its time has come.
        continuation: what is called when it ends, by the name of `endings.register_continuation`.

    Raises:
        NotConfigured: the host has no key to encrypt under what the caller sent.
    """
    job = Job(tenant_id=execution.tenant_id, user_id=execution.user_id, execution=execution, priority=priority)
    with encrypting():
        job.request = json.dumps({"input": execution.input, "params": execution.params})
    job.max_attempts = settings.job_attempts if attempts is None else attempts
    job.timeout_seconds = settings.job_timeout if timeout is None else timeout
    job.continuation, job.depth = continuation, depth.get()
    execution.status = Execution.Status.QUEUED
    redact_asked(execution, secrets_of(execution))
    with writing(), transaction.atomic():
        _executions.insert(execution)
        for name, value in {**due_in(delay), "last_event": 1}.items():
            setattr(job, name, value)
        job.save(force_insert=True)
        append_rows(job, [RunEvent(EventType.QUEUED, {})], last=1)
    # The database knows them, and is asked by who wants to know.
    del job.not_before, job.enqueued_at
    enqueue(job, delay=delay)
    return job


def due_in(delay: float) -> dict[str, Any]:
    """The columns of a job that is not to begin for `delay` seconds, by the database's clock."""
    when = from_now(delay) if delay > 0 else Now()
    return {"not_before": when, "enqueued_at": when if delay <= LONGEST_IN_QUEUE else None}


def find_job(key: str, *, actor: Actor) -> Job:
    """The job with this id that `actor` may read, with its execution.

    Raises:
        NotFound: there is none.
    """
    try:
        job_id = UUID(key)
    except ValueError as exc:
        raise NotFound from exc
    job: Job | None = Job.objects.readable_by(actor).select_related("execution").filter(pk=job_id).first()
    if job is None:
        raise NotFound
    return job


def enqueue(job: Job, *, delay: float = 0.0) -> None:
    """Hand `job` to the dispatcher once the present transaction, if there is one, has committed.

    A queue that is down is no failure of whoever asks, since the job is stored: the reaper hands it out again. One that
    waits for longer than `LONGEST_IN_QUEUE` is left to the reaper: brokers hand out again what no worker has confirmed
    for long, and what is handed to a worker in advance dies with it.
    """
    if delay <= LONGEST_IN_QUEUE:
        transaction.on_commit(partial(_hand_out, job.pk, delay=max(delay, 0.0), priority=job.priority))


def _hand_out(job_id: UUID, *, delay: float, priority: int) -> None:
    try:
        dispatcher: Dispatcher = import_string(settings.job_dispatcher)()
        dispatcher.enqueue(job_id, delay=delay, priority=priority)
    except Exception as exc:  # noqa: BLE001 - a host's dispatcher may raise anything
        logger.error("Job %s could not be handed to a worker: %s. The reaper will try.", job_id, type(exc).__name__)


def cancel_job(job: Job, *, actor: Actor | None = None) -> Job:
    """Cancel `job`: one that waits never starts, one that runs stops soon. The job as it is then.

    Args:
        job: one that the actor may read.
        actor: who cancels it; None: the host itself.

    Raises:
        PermissionDenied: an app runs it for the host, without a model that a caller named, and the actor is no staff.
        Conflict: it has ended.
    """
    capability = get_capability(job.execution.task_type)
    is_the_hosts = capability is not None and not capability.for_endpoints and not job.execution.is_callers
    if actor is not None and not actor.is_staff and is_the_hosts:
        # What somebody has sent is known already, and would be handled neither now nor when it is sent again.
        raise PermissionDenied(_("Only staff may cancel this job."))
    # Between the two a worker may have claimed it, or given it back.
    while not _end_waiting(job) and not _ask_running(job):
        if not Job.objects.unfinished().filter(pk=job.pk).exists():
            raise Conflict(_("The job has ended."))
    current: Job = Job.objects.select_related("execution").get(pk=job.pk)
    return current


def _end_waiting(job: Job) -> bool:
    waiting = Job.objects.filter(pk=job.pk, status__in=Job.WAITING)
    cancelled = RunEvent(EventType.CANCELLED, {"partial": ""})
    if not end_job(job, partial(end_without_run, waiting, job, cancelled)):
        return False
    announce(job)
    return True


def _ask_running(job: Job) -> bool:
    running = Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING)
    with writing():
        # Asking twice changes nothing.
        return bool(running.update(cancel_requested_at=Coalesce("cancel_requested_at", Now())))


def announce(job: Job) -> None:
    """Tell the receivers of `job_ended` once the present transaction, if there is one, has committed."""
    if job_ended.has_listeners(Job):
        transaction.on_commit(partial(_send_ended, job.pk), robust=True)


def _send_ended(job_id: UUID) -> None:
    job = Job.objects.select_related("execution").filter(pk=job_id).first()
    if job is not None:
        # One receiver's failure is not another's, nor the job's.
        job_ended.send_robust(sender=Job, job=job)
