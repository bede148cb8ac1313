"""What the end of a job means to the step that it carries: called in the transaction that ends the job."""

from automate.models import StepRun, WorkflowRun
from automate.services.advance import Advance
from automate.services.carriers import CONTINUATION
from automate.services.plans import type_of
from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import AutomateError, RunCancelled
from automate_api.models import Job
from automate_api.services.endings import register_continuation

State = StepRun.Status


def step_carried(job: Job, end: RunEvent) -> None:
    """The continuation of every job that carries a step."""
    found = StepRun.objects.filter(execution=job.execution_id).values_list("run", "pk").first()
    if found is None:
        # Another carries the step by now, or the run has been deleted.
        return
    run_id, pk = found
    try:
        with Advance.of(run_id) as advance:
            if not advance.is_over:
                _settle(advance, pk, job, end)
    except WorkflowRun.DoesNotExist:
        return


def _settle(advance: Advance, pk: int, job: Job, end: RunEvent) -> None:
    row = StepRun.objects.filter(pk=pk, execution=job.execution_id, status__in=StepRun.UNFINISHED).first()
    if row is None:
        return
    row = advance.scopes.rows(row.scope)[row.name]
    if end.type is EventType.CANCELLED:
        advance.fail(row, RunCancelled())
    elif row.status == State.RETRYING:
        advance.attempt(row)
    elif row.status == State.WAITING:
        _expire(advance, row)
    elif type_of(advance.node(row)).body_fields:
        advance.iterate(row)
    elif end.type is EventType.ERROR:
        advance.fail_with(row, {name: end.data.get(name, "") for name in ("code", "detail")})
    else:
        advance.succeed(row, end.data["output"])


def _expire(advance: Advance, row: StepRun) -> None:
    """The time is over that the step had to wait."""
    try:
        output = type_of(advance.node(row)).expire()
    except AutomateError as exc:
        advance.fail(row, exc)
    else:
        advance.succeed(row, output)


register_continuation(CONTINUATION, step_carried)
