"""How a job ends: in one transaction with its continuation, what an app does then.

A continuation is a function of the job and its terminal event. It is known by its name, which stands in the job's row,
and so it is called by whichever process ends the job: a worker, a reaper, or a server that cancels. Its end and what
the continuation stores are stored together or not at all.
"""

import logging
from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone

from automate_api.engine.events import EventType, RunEvent
from automate_api.events import at_depth
from automate_api.models import Job
from automate_api.security.redaction import redact_exception
from automate_api.services.leases import from_now
from automate_api.services.recording import writing

logger = logging.getLogger(__name__)

Continuation = Callable[[Job, RunEvent], None]
#: Ends the job under the condition that it is the caller's to end; the terminal event as stored, or None.
Store = Callable[[], RunEvent | None]

_TRIES = 2
_LONGEST_NAME = 64
# Seconds after which the reaper calls a continuation that has failed; from then on after a quarter of the time since.
_AGAIN, _PATIENCE = 1.0, 4

_registry: dict[str, Continuation] = {}


def register_continuation(name: str, function: Continuation) -> None:
    """Have `function` called when a job ends that was made with `create_job(..., continuation=name)`.

    It gets the job, as it was read before its end, and the terminal event as it is stored, redacted. The job's row is
    locked meanwhile: it may use the ORM, make jobs and lock other rows, but no other job's. Where it raises, the end is
    tried once more, then stored without it, and the reaper calls it until it succeeds. So a job ends whatever an app
    does, and what the continuation does in the database is done once.

    Args:
        name: of at most 64 characters; begin it with the app's label.
        function: of two arguments, the `Job` and the `RunEvent`.

    Raises:
        ImproperlyConfigured: the name is too long, or another function has it.
    """
    if not 0 < len(name) <= _LONGEST_NAME:
        raise ImproperlyConfigured(f"The name of a continuation has 1 to {_LONGEST_NAME} characters: {name!r}.")
    if _registry.setdefault(name, function) is not function:
        raise ImproperlyConfigured(f"Two continuations are registered as {name!r}.")


def end_job(job: Job, store: Store) -> bool:
    """Have `store` end the job, in one transaction with its continuation; whether it did.

    Raises:
        Exception: whatever `store` has raised. What the continuation raises is logged.
    """
    if not job.continuation:
        with writing(), transaction.atomic():
            return store() is not None
    if job.continuation not in _registry:
        logger.error("Job %s ends without its continuation %r, which no app registers.", job.pk, job.continuation)
        return _end_and_owe(job, store)
    for _attempt in range(_TRIES):
        end = None
        try:
            with writing(), transaction.atomic():
                end = store()
                if end is not None:
                    _continue(job, end)
        except Exception as exc:
            if end is None:
                raise
            # The continuation has failed, or the commit of what it did.
            _log(job, exc)
        else:
            return end is not None
    return _end_and_owe(job, store)


def _end_and_owe(job: Job, store: Store) -> bool:
    """The end alone: a job whose continuation fails ends all the same. The reaper calls the continuation later."""
    with writing(), transaction.atomic():
        if store() is None:
            return False
        Job.objects.filter(pk=job.pk).update(continues_at=from_now(_AGAIN))
    return True


def continue_job(job: Job) -> bool:
    """Call the continuation of a job that ended without it, unless another process does; whether it succeeded."""
    due = Job.objects.to_continue().filter(pk=job.pk)
    try:
        with writing(), transaction.atomic():
            if not due.update(continues_at=None):
                return False
            _continue(job, _end_of(job))
    except Exception as exc:  # noqa: BLE001 - an app's function raises anything, and keeps nobody else waiting
        _log(job, exc)
        with writing():
            due.update(continues_at=from_now(_AGAIN + _waited(job) / _PATIENCE))
        return False
    return True


def registered_continuations() -> list[str]:
    """The names of all that are registered."""
    return list(_registry)


def _continue(job: Job, end: RunEvent) -> None:
    # Whoever ends the job, what follows is as deep as the job was.
    with at_depth(job.depth):
        _registry[job.continuation](job, end)


def _end_of(job: Job) -> RunEvent:
    event = job.events.get(sequence=job.last_event)
    return RunEvent(EventType(event.type), event.data)


def _waited(job: Job) -> float:
    """Seconds since the job has ended."""
    return max(0.0, float((timezone.now() - job.finished_at).total_seconds())) if job.finished_at else 0.0


def _log(job: Job, exc: Exception) -> None:
    logger.error("The continuation %r of job %s has failed: %s", job.continuation, job.pk, redact_exception(exc))
