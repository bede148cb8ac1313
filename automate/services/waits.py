"""What ends the waiting of steps: events, and people who decide."""

import logging
import re
from collections.abc import Iterable
from typing import Any

from django.db import Error as DatabaseFailure
from django.utils.translation import gettext_lazy as _

from automate.models import StepRun, WorkflowRun
from automate.rules import RuleError, RuleFailed, compile_rule
from automate.services.advance import Advance
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

logger = logging.getLogger(__name__)

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


def wake_for(event: Event) -> int:
    """Have the steps go on that wait for this event; how many did. In the caller's transaction.

    What is wrong with one of them, or with its run, keeps no other waiting.
    """
    waiting = _waiting(event.tenant_id).filter(waits_for__in=patterns_of(event.type), created_at__lte=event.created_at)
    # In one order, so that two that wake the same runs wait for each other and no more.
    chosen = list(waiting.order_by("run", "pk").values_list("run", "pk"))
    return sum(_wake(run_id, pk, event) for run_id, pk in chosen)


def patterns_of(event_type: str) -> set[str]:
    """Every pattern that fits a type: the type itself, and each of its beginnings with a `*`."""
    return {event_type, *(f"{event_type[:length]}*" for length in range(min(len(event_type), _LONGEST - 1) + 1))}


def _waiting(tenant_id: str) -> Any:
    return StepRun.objects.filter(status=StepRun.Status.WAITING, run__tenant_id=tenant_id).exclude(waits_for="")


def _wake(run_id: Any, pk: int, event: Event) -> bool:
    try:
        with Advance.of(run_id) as advance:
            found = StepRun.objects.filter(pk=pk, status=StepRun.Status.WAITING).first()
            if advance.is_over or found is None:
                return False
            row = advance.scopes.rows(found.scope)[found.name]
            return _is_woken(advance, row, event)
    except WorkflowRun.DoesNotExist:
        return False
    except DatabaseFailure:
        # All is undone then, and tried again.
        raise
    except Exception as exc:  # noqa: BLE001 - one run keeps no other waiting
        logger.error("Run %s could not go on with the event %s: %s", run_id, event.pk, redact_exception(exc))
        return False


def _is_woken(advance: Advance, row: StepRun, event: Event) -> bool:
    try:
        if not _fits(advance, row, event):
            return False
        advance.succeed(row, context_of(event))
    except (RuleError, RuleFailed) as exc:
        advance.fail(row, ExpressionFailed(exc.message))
    except AutomateError as exc:
        # The definition cannot be followed any more.
        advance.fail_run(exc)
    advance.let_go(row)
    return True


def _fits(advance: Advance, row: StepRun, event: Event) -> bool:
    where = (row.input or {}).get("event", {}).get("where")
    return not where or compile_rule(where).is_true({**advance.scopes.seen(row.scope), "received": context_of(event)})
