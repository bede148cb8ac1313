"""What the end of a job means to the step that it carries: called in the transaction that ends the job."""

import logging
from functools import partial

from automate.models import StepRun, WorkflowRun
from automate.services.advance import Advance
from automate.services.carriers import CONTINUATION
from automate.services.plans import type_of
from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import AutomateError, InternalError, RunCancelled
from automate_api.models import Job
from automate_api.security.redaction import redact_exception
from automate_api.services.endings import register_continuation

logger = logging.getLogger(__name__)

State = StepRun.Status


def step_carried(job: Job, end: RunEvent) -> None:
    """The continuation of every job that carries a step."""
    found = StepRun.objects.filter(execution=job.execution_id).only("run", "scope", "name").first()
    if found is None:
        # Another carries the step by now, or the run has been deleted.
        return
    try:
        with Advance.of(found.run_id) as advance:
            advance.soon("", partial(_settle, advance, found, job, end))
    except WorkflowRun.DoesNotExist:
        return


def _settle(advance: Advance, found: StepRun, job: Job, end: RunEvent) -> None:
    # As it is since the run is locked.
    row = advance.scopes.rows(found.scope)[found.name]
    if row.execution_id != job.execution_id or row.status not in StepRun.UNFINISHED:
        return
    is_loop = bool(type_of(advance.node(row)).body_fields)
    if end.type is EventType.CANCELLED:
        if is_loop:
            advance.leave_items(row)
        advance.fail(row, RunCancelled())
    elif row.status == State.RETRYING:
        advance.attempt(row)
    elif row.status == State.WAITING:
        _expire(advance, row)
    elif is_loop:
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
    except Exception as exc:  # noqa: BLE001 - a host's step raises anything, and does not wait for ever
        logger.error("The wait of step %s of run %s: %s", row.path, row.run_id, redact_exception(exc))
        advance.fail(row, InternalError())
    else:
        advance.succeed(row, output)


register_continuation(CONTINUATION, step_carried)
