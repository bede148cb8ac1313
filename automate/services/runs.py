"""Runs of workflows: begin, find, cancel, replay."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from automate.conf import settings
from automate.graph.definition import Node
from automate.models import StepRun, Trigger, Workflow, WorkflowRun, WorkflowVersion
from automate.services.advance import Advance
from automate.services.plans import plan_of
from automate.services.step_rows import ITEM
from automate.services.stored import stored
from automate_api.engine.json_schema import check_value, require_valid
from automate_api.exceptions import Conflict, FieldError, InvalidInput, NotFound, WorkflowTooDeep
from automate_api.models import Actor, Event
from automate_api.models.prepared import PreparedInsert
from automate_api.services.recording import writing
from automate_api.services.rows import storing

#: The type of the event that a run sees which somebody asked for.
ASKED = "workflow.run"

_runs = PreparedInsert(WorkflowRun)


def context_of(event: Event) -> dict[str, Any]:
    """An event, as the expressions of a run see it."""
    return {
        "id": str(event.pk),
        "type": event.type,
        "source": event.source,
        "payload": event.payload,
        "occurred_at": _written(event.occurred_at),
        "correlation_id": event.correlation_id,
    }


def asked_context(payload: Any, *, correlation_id: str) -> dict[str, Any]:
    """What a run sees for its event that somebody asked for, with this input."""
    now = _written(timezone.now())
    told = {"id": None, "type": ASKED, "source": "", "occurred_at": now, "correlation_id": correlation_id}
    return {**told, "payload": stored(payload)}


def require_input(workflow: Workflow, payload: Any) -> None:
    """Refuse an input of a run that somebody asks for where it does not fit the definition's `input_schema`.

    Raises:
        InvalidInput: each error names a path below `input`.
    """
    require_valid(check_value(payload, workflow.definition.get("input_schema") or {}, field="input"))


def start_run(
    workflow: Workflow,
    *,
    context: dict[str, Any],
    user_id: Any,
    correlation_id: str,
    trigger: Trigger | None = None,
    event: Event | None = None,
    depth: int = 1,
    execution_id: UUID | None = None,
) -> WorkflowRun:
    """A run of the workflow as the caller has read it, its first steps begun; in the caller's transaction, if any.

    It is pinned to the version whose condition, or input schema, the caller has asked.

    A trigger starts one run for one event: asked again, that is returned. A run that too many others led to is stored
    as failed, and nothing of it begins.

    Args:
        workflow: to run; whether it is enabled, and its condition, are the caller's to ask.
        context: what the run sees as `event`, of `context_of` or `asked_context`.
        user_id: who caused it; None for nobody.
        correlation_id: stored with the run and everything it does.
        trigger: what starts it, if anything does.
        event: which event does.
        depth: how many runs led to it, this one included.
        execution_id: of the endpoint that runs the workflow.

    Raises:
        NotFound: the workflow has been deleted meanwhile.
    """
    run = WorkflowRun(
        tenant_id=workflow.tenant_id,
        user_id=user_id,
        workflow=workflow,
        trigger=trigger,
        event=event,
        depth=depth,
        execution_id=execution_id,
        context=context,
        correlation_id=correlation_id,
    )
    with writing(), transaction.atomic():
        if trigger is not None and event is not None:
            known: WorkflowRun | None = WorkflowRun.objects.filter(trigger=trigger, event=event).first()
            if known is not None:
                return known
        run.version = _version_of(workflow)
        return _begun(run)


def find_run(key: str, *, actor: Actor) -> WorkflowRun:
    """The run with this id that `actor` may read.

    Raises:
        NotFound: there is none.
    """
    try:
        run_id = UUID(key)
    except ValueError as exc:
        raise NotFound from exc
    found: WorkflowRun | None = WorkflowRun.objects.readable_by(actor).filter(pk=run_id).first()
    if found is None:
        raise NotFound
    return found


def cancel_run(run: WorkflowRun) -> WorkflowRun:
    """End the run here: what is at work is stopped, and nothing more begins. The run as it is then.

    Raises:
        Conflict: it has ended.
        NotFound: it has been deleted.
    """
    try:
        with Advance.of(run.pk) as advance:
            if advance.is_over:
                raise Conflict(_("The run has ended."))
            advance.end_run(WorkflowRun.Status.CANCELLED)
    except WorkflowRun.DoesNotExist as exc:
        raise NotFound from exc
    return advance.run


def replay_run(run: WorkflowRun, *, actor: Actor, correlation_id: str, from_step: str | None = None) -> WorkflowRun:
    """A run of the same version for the same event: from its beginning, or from a step on.

    Args:
        run: one that has ended, and that the actor may read.
        actor: who replays it.
        correlation_id: of the new run.
        from_step: a step of the definition itself. What neither is that step nor comes after it is taken over as it
            was; what of that had not ended well is done again.

    Raises:
        Conflict: it has not ended, or it or its version has been deleted.
        InvalidInput: there is no such step.
    """
    if run.status in WorkflowRun.UNFINISHED:
        raise Conflict(_("The run has not ended."))
    if run.version is None or run.workflow is None:
        raise Conflict(_("The workflow has been deleted."))
    plan, _version = plan_of(run)
    if from_step is not None and from_step not in plan.nodes:
        raise InvalidInput([FieldError("from_step", "unknown_step", str(_("The workflow has no such step.")))])
    again = WorkflowRun(
        tenant_id=run.tenant_id,
        user_id=actor.user.pk,
        workflow=run.workflow,
        version=run.version,
        event_id=run.event_id,
        context=run.context,
        correlation_id=correlation_id,
        replay_of=run,
    )
    with writing(), storing(clash=_("The run or its workflow has been deleted.")):
        return _begun(again, kept=_kept(run, from_step) if from_step else ())


def _begun(run: WorkflowRun, *, kept: Any = ()) -> WorkflowRun:
    if run.depth > settings.max_depth:
        error = WorkflowTooDeep()
        run.status, run.finished_at = WorkflowRun.Status.FAILED, timezone.now()
        run.error = {"code": str(error.code), "detail": error.detail}
        _runs.insert(run)
        return run
    _runs.insert(run)
    for row in kept:
        row.run = run
    StepRun.objects.bulk_create(kept)
    # Nobody else knows of it yet.
    advance = Advance(run)
    advance.scopes.know(kept)
    advance.begin()
    return run


def _kept(run: WorkflowRun, from_step: str) -> list[StepRun]:
    """Copies of what is taken over: whatever ended well, and comes after nothing that is done again."""
    plan, _version = plan_of(run)
    rows = {row.name: row for row in run.steps.filter(scope="").exclude(type=ITEM)}
    again = {from_step} | {name for name, node in plan.nodes.items() if not _is_done(rows.get(name), node)}
    waiting = list(again)
    while waiting:
        after = set(plan.after[waiting.pop()]) - again
        again |= after
        waiting += after
    return [_copy(row) for name, row in rows.items() if name not in again]


def _is_done(row: StepRun | None, node: Node) -> bool:
    """Whether a step has ended so that what comes after it can be done again without it."""
    if row is None:
        return False
    is_handled = row.status == StepRun.Status.FAILED and bool(node.on_error)
    return is_handled or row.status in (StepRun.Status.SUCCEEDED, StepRun.Status.SKIPPED)


def _copy(row: StepRun) -> StepRun:
    copied = ("scope", "name", "type", "status", "input", "output", "error", "taken", "user_id", "finished_at")
    return StepRun(**{name: getattr(row, name) for name in copied})


def _version_of(workflow: Workflow) -> WorkflowVersion:
    found: WorkflowVersion | None = workflow.versions.filter(version=workflow.version).defer("definition").first()
    if found is None:
        raise NotFound(_("The workflow has been deleted."))
    return found


def _written(moment: datetime) -> str:
    """A moment as rules read it: with its offset, also where the host has naive ones (RFC 3339)."""
    return (timezone.make_aware(moment) if timezone.is_naive(moment) else moment).isoformat()
