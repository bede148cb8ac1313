"""The jobs that carry steps: those that work, and those that only let time pass."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from automate.graph.definition import Node
from automate.models import StepRun, WorkflowRun
from automate.steps import Turn
from automate_api.exceptions import Conflict
from automate_api.models import Execution, Job
from automate_api.services.jobs import cancel_job, create_job
from automate_api.services.runs import prepare_task

#: The task type of a step that is no endpoint's, and the name of what happens when a step's job has ended.
STEP, CONTINUATION = "workflow.step", "automate.step"

# Jobs that are looked at together.
_BATCH = 500


def carry(run: WorkflowRun, node: Node, turn: Turn, *, path: str, execution: Execution | None) -> UUID:
    """Have a worker run `execution`, or where there is none `Step.run()`; the id of the execution."""
    if execution is None:
        asked: dict[str, Any] = {"run": str(run.pk), "path": path, "type": node.type, "with": turn.settings}
        asked |= {"computed": sorted(turn.computed), "secrets": [[list(place), name] for place, name in turn.secrets]}
        execution = _task(run, asked, user_id=turn.actor.user.pk)
    create_job(execution, attempts=node.retries + 1, timeout=node.timeout, continuation=CONTINUATION)
    return execution.pk


def lull(run: WorkflowRun, *, seconds: float = 0.0) -> UUID:
    """Have the step's turn come again in so many seconds, in which nobody works; the id of the execution."""
    execution = _task(run, {"run": str(run.pk)}, user_id=run.workflow.owner_id if run.workflow else None)
    create_job(execution, delay=max(0.0, seconds), continuation=CONTINUATION)
    return execution.pk


def cancel_carriers(executions: Sequence[UUID]) -> None:
    """Cancel the jobs of these executions, once the present transaction, if there is one, has committed.

    A job's row is locked before a run's, never after: so each is cancelled in a transaction of its own.
    """
    if executions:
        transaction.on_commit(partial(_cancel, executions), robust=True)


def cancel_leftovers() -> int:
    """Cancel jobs that carry steps which have ended otherwise: whoever was to do so has died. How many there were."""
    ended = StepRun.objects.filter(execution=OuterRef("execution")).exclude(status__in=StepRun.UNFINISHED)
    left = Job.objects.unfinished().filter(Exists(ended), continuation=CONTINUATION, cancel_requested_at__isnull=True)
    executions = list(left.values_list("execution", flat=True)[:_BATCH])
    _cancel(executions)
    return len(executions)


def _cancel(executions: Sequence[UUID]) -> None:
    for job in Job.objects.unfinished().filter(execution__in=executions).select_related("execution"):
        try:
            cancel_job(job)
        except Conflict:
            continue


def _task(run: WorkflowRun, asked: dict[str, Any], *, user_id: Any) -> Execution:
    common = {"tenant_id": run.tenant_id, "correlation_id": run.correlation_id}
    return prepare_task(STEP, user_id=user_id, input=asked, **common)
