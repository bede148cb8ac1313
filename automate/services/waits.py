"""What ends the waiting of steps: events, and people who decide."""

import logging
import re
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from django.db import DataError
from django.db import Error as DatabaseFailure
from django.utils.translation import gettext_lazy as _

from automate.models import StepRun, WorkflowRun
from automate.rules import RuleError, RuleFailed, compile_rule
from automate.services.advance import LOT, Advance
from automate.services.runs import context_of
from automate.steps import get_step_type
from automate_api.exceptions import (
    AutomateError,
    Conflict,
    ExpressionFailed,
    NotFound,
    PermissionDenied,
    StepRejected,
)
from automate_api.models import Actor, Event
from automate_api.security.redaction import redact_exception
from automate_api.services.jobs import create_job
from automate_api.services.runs import prepare_task

logger = logging.getLogger(__name__)

#: The task type of waking what one transaction does not.
WAKE = "workflow.wake"

# Nothing else is a path, and some of the rest no text that a database takes.
_PATH = re.compile(r"[a-z0-9_.]{1,300}")

# The longest type of an event, and so the longest pattern.
_LONGEST = 200


def decide_step(run: WorkflowRun, path: str, *, actor: Actor, approved: bool, comment: str = "") -> StepRun:
    """Approve or reject a step that waits for it, of a type that `is_decided`. The step as it is then.

    Args:
        run: one that the actor may read.
        path: the step's, as `ask`, or `each.3.ask` in a for-each.
        actor: who decides; staff of the tenant.
        approved: what they say.
        comment: why; stored with the step.

    Raises:
        PermissionDenied: the actor is no staff.
        NotFound: there is no such step.
        Conflict: it does not wait for a decision, or no longer.
    """
    if not actor.is_staff:
        raise PermissionDenied
    if not _PATH.fullmatch(path):
        raise NotFound
    try:
        return _decided(run, path, actor=actor, approved=approved, comment=comment)
    except WorkflowRun.DoesNotExist as exc:
        raise NotFound from exc


def _decided(run: WorkflowRun, path: str, *, actor: Actor, approved: bool, comment: str) -> StepRun:
    scope, _dot, name = path.rpartition(".")
    with Advance.of(run.pk) as advance:
        row = run.steps.filter(scope=scope, name=name).first()
        kind = None if row is None else get_step_type(row.type)
        if row is None or kind is None or not kind.is_decided:
            raise NotFound
        if row.status != StepRun.Status.WAITING:
            raise Conflict(_("The step does not wait for a decision."))
        row = advance.scopes.rows(scope)[name]
        row.user = actor.user
        if approved:
            by = actor.user.get_username()
            advance.succeed(row, {"approved": True, "by": by, "comment": comment})
        else:
            advance.fail(row, StepRejected(comment or None))
        advance.let_go(row)
    return row


def awaited(tenant_id: str, types: Iterable[str]) -> set[str]:
    """Those of these types of events that a step of the tenant waits for. One query."""
    wanted = {name: patterns_of(name) for name in types}
    every = set().union(*wanted.values()) if wanted else set()
    waiting = _waiting(tenant_id).filter(waits_for__in=every).order_by()
    found = set(waiting.values_list("waits_for", flat=True).distinct())
    return {name for name, patterns in wanted.items() if not found.isdisjoint(patterns)}


def wake_for(event: Event, *, after: int = 0) -> int | None:
    """Have steps go on that wait for this event, `LOT` of them at most, in the caller's transaction.

    What is wrong with one of them, or with its run, keeps no other waiting.

    Args:
        event: what has come.
        after: the id of the last step that has been asked; 0 for none.

    Returns:
        The id of the last step that was asked, if there are others; None where that were all.
    """
    waiting = _waiting(event.tenant_id).filter(waits_for__in=patterns_of(event.type), created_at__lte=event.created_at)
    # Not sorted by the database, which would rather look at all steps there are than at those that wait.
    chosen = sorted(waiting.filter(pk__gt=after).order_by().values_list("pk", "run"))
    # In one order, so that two that wake the same runs wait for each other and no more.
    for pk, run_id in sorted(chosen[:LOT], key=itemgetter(1)):
        _wake(run_id, pk, event)
    return chosen[LOT - 1][0] if len(chosen) > LOT else None


def wake_rest(event: Event, *, after: int) -> None:
    """Have a worker go on with `wake_for`, lot by lot. Meanwhile others write, on SQLite too."""
    asked = {"event": str(event.pk), "after": after}
    told: dict[str, Any] = {name: getattr(event, name) for name in ("tenant_id", "user_id", "correlation_id")}
    create_job(prepare_task(WAKE, input=asked, **told))


def patterns_of(event_type: str) -> set[str]:
    """Every pattern that fits a type: the type itself, and each of its beginnings with a `*`."""
    return {event_type, *(f"{event_type[:length]}*" for length in range(min(len(event_type), _LONGEST - 1) + 1))}


def _waiting(tenant_id: str) -> Any:
    return StepRun.objects.filter(status=StepRun.Status.WAITING, run__tenant_id=tenant_id).exclude(waits_for="")


def _wake(run_id: Any, pk: int, event: Event) -> None:
    try:
        with Advance.of(run_id) as advance:
            found = StepRun.objects.filter(pk=pk, status=StepRun.Status.WAITING).first()
            if found is not None and not advance.is_over:
                _go_on(advance, advance.scopes.rows(found.scope)[found.name], event)
    except WorkflowRun.DoesNotExist:
        return
    except Exception as exc:
        # A fault of the database is everybody's: all is undone, and tried again. One of a value, which is too long,
        # say, keeps no other waiting.
        if isinstance(exc, DatabaseFailure) and not isinstance(exc, DataError):
            raise
        logger.error("Run %s could not go on with the event %s: %s", run_id, event.pk, redact_exception(exc))


def _go_on(advance: Advance, row: StepRun, event: Event) -> None:
    try:
        if not _fits(advance, row, event):
            return
        advance.succeed(row, context_of(event))
    except (RuleError, RuleFailed) as exc:
        advance.fail(row, ExpressionFailed(exc.message))
    except AutomateError as exc:
        # The definition cannot be followed any more.
        advance.fail_run(exc)
    advance.let_go(row)


def _fits(advance: Advance, row: StepRun, event: Event) -> bool:
    where = (row.input or {}).get("event", {}).get("where")
    return not where or compile_rule(where).is_true({**advance.scopes.seen(row.scope), "received": context_of(event)})
