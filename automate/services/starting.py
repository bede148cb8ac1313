"""What an event starts: the triggers that it fits, their workflows' conditions, their runs."""

import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import DataError, transaction
from django.db import Error as DatabaseFailure
from django.utils import timezone
from django.utils.translation import gettext as _

from automate.models import Trigger, Workflow
from automate.rules import RuleError, RuleFailed, compile_rule
from automate.services.own_events import HOOK, MODEL, SCHEDULE, meant_triggers
from automate.services.runs import context_of, start_run
from automate.services.waits import patterns_of
from automate_api.exceptions import AutomateError
from automate_api.models import Event
from automate_api.security.redaction import redact_exception
from automate_api.tenancy import members_of

logger = logging.getLogger(__name__)

# Triggers that are read together. However many an event starts, no more are in memory.
_BATCH = 500

# Patterns that are looked up by name; of more, all that the tenant has are read.
_MOST_PATTERNS = 1000

# How often it is noted that a trigger has fired: one that does so all the time would have everybody wait for its row.
_NOTED_EVERY = timedelta(seconds=1)

# Not the workflow's definition, which nobody needs whose condition does not hold.
_COLUMNS = (
    *("tenant_id", "last_fired_at", "last_error"),
    *(f"workflow__{name}" for name in ("tenant_id", "slug", "version", "condition", "owner_id", "enabled")),
)


def start_for(event: Event) -> int:
    """Start the workflows that `event` starts, each once for each trigger; how many runs there are.

    What is wrong with one, such as an error in its condition, stands in the `last_error` of its trigger and keeps no
    other from starting.
    """
    context = context_of(event)
    return sum(_start(triggers, event, context) for triggers in _batches(_fitting(event)))


def starting_types(tenant_id: str, types: Collection[str]) -> set[str]:
    """Those of these types of events that may start something in the tenant. At most one query."""
    own = {HOOK, SCHEDULE, MODEL}.intersection(types)
    named = {each: patterns_of(each) for each in types if each not in own}
    if not named:
        return own
    patterns = {pattern for patterns in named.values() for pattern in patterns}
    chosen = _enabled(tenant_id).filter(kind=Trigger.Kind.EVENT)
    if len(patterns) <= _MOST_PATTERNS:
        chosen = chosen.filter(pattern__in=patterns)
    if len(named) == 1:
        # One trigger is enough, of which there may be thousands.
        return own | set(named if chosen.exists() else ())
    found = set(chosen.order_by().values_list("pattern", flat=True).distinct())
    return own | {each for each, patterns in named.items() if not found.isdisjoint(patterns)}


def _enabled(tenant_id: str) -> Any:
    # The workflow's tenant is the trigger's. Where somebody has written otherwise past all checks, nothing starts.
    return Trigger.objects.of_tenant(tenant_id).filter(
        enabled=True, workflow__enabled=True, workflow__tenant_id=tenant_id
    )


def _fitting(event: Event) -> Any:
    """The triggers that the event fits: those that it is meant for, else those with a pattern that its type fits."""
    meant = meant_triggers(event.type, event.source)
    by_pattern = {"kind": Trigger.Kind.EVENT, "pattern__in": patterns_of(event.type)}
    return _enabled(event.tenant_id).filter(**(by_pattern if meant is None else meant))


def _batches(triggers: Any) -> Iterator[list[Trigger]]:
    """The rows of `triggers` with their workflows, the oldest first."""
    last = 0
    while True:
        rows = triggers.filter(pk__gt=last).select_related("workflow").only(*_COLUMNS)
        batch = list(rows.order_by("pk")[:_BATCH])
        if batch:
            yield batch
        if len(batch) < _BATCH:
            return
        last = batch[-1].pk


@dataclass(slots=True)
class _Outcome:
    """What became of some triggers: those that have fired, and what was wrong with others."""

    fired: set[int] = field(default_factory=set)
    errors: dict[int, str] = field(default_factory=dict)


def _start(triggers: list[Trigger], event: Event, context: dict[str, Any]) -> int:
    outcome = _Outcome()
    ready = [trigger for trigger in triggers if _is_ready(trigger, event, context, outcome)]
    owners = _able(event.tenant_id, {trigger.workflow.owner_id for trigger in ready} - {None})
    for trigger in ready:
        if trigger.workflow.owner_id in owners:
            _start_one(trigger, event, context, outcome)
        else:
            outcome.errors[trigger.pk] = _("The workflow has no owner who may run it.")
    _note(triggers, outcome)
    return len(outcome.fired)


def _is_ready(trigger: Trigger, event: Event, context: dict[str, Any], outcome: _Outcome) -> bool:
    """Whether the condition of the trigger's workflow holds."""
    workflow = trigger.workflow
    if not workflow.condition:
        return True
    run = {"workflow": workflow.slug, "version": workflow.version, "depth": event.depth + 1}
    try:
        return compile_rule(workflow.condition).is_true({"event": context, "run": run})
    except (RuleError, RuleFailed, AutomateError) as exc:
        outcome.errors[trigger.pk] = _fault(exc)
    return False


def _fault(exc: Exception) -> str:
    """What is wrong with a condition, without any value of the event."""
    if isinstance(exc, RuleError):
        return _("The condition is no rule (line %(line)d, column %(column)d).") % vars(exc)
    if isinstance(exc, RuleFailed):
        return _("The condition has no value: %(kind)s (line %(line)d, column %(column)d).") % vars(exc)
    return getattr(exc, "detail", "")


def _able(tenant_id: str, owners: set[Any]) -> set[Any]:
    """Those of these users who may run workflows of the tenant. One query."""
    users = members_of(tenant_id).filter(pk__in=owners) if owners else ()
    return {user.pk for user in users if getattr(user, "is_active", True) and getattr(user, "is_staff", False)}


def _start_one(trigger: Trigger, event: Event, context: dict[str, Any], outcome: _Outcome) -> None:
    workflow: Workflow = trigger.workflow
    try:
        with transaction.atomic():
            start_run(
                workflow,
                context=context,
                user_id=event.user_id,
                correlation_id=event.correlation_id,
                trigger=trigger,
                event=event,
                depth=event.depth + 1,
            )
    except Exception as exc:
        # A fault of the database is everybody's: all is undone, and tried again. One of a value, which is too long,
        # say, keeps no other from starting.
        if isinstance(exc, DatabaseFailure) and not isinstance(exc, DataError):
            raise
        logger.error("The workflow %s could not be started: %s", workflow.pk, redact_exception(exc))
        detail = exc.detail if isinstance(exc, AutomateError) else _("The workflow could not be started.")
        outcome.errors[trigger.pk] = detail
    else:
        outcome.fired.add(trigger.pk)


def _note(triggers: Iterable[Trigger], outcome: _Outcome) -> None:
    """Note what became of `triggers`, where it is news."""
    now = timezone.now()
    news: dict[int, dict[str, Any]] = {}
    for trigger in triggers:
        error, fired = outcome.errors.get(trigger.pk, ""), trigger.pk in outcome.fired
        is_late = trigger.last_fired_at is None or now - trigger.last_fired_at > _NOTED_EVERY
        if error != trigger.last_error or (fired and is_late):
            news[trigger.pk] = {"last_error": error, **({"last_fired_at": now} if fired else {})}
    if not news:
        return
    # Others note the same of the same, so nobody waits for them; nor for rows of runs, which refer to triggers.
    rows = Trigger.objects.select_for_update(skip_locked=True, no_key=True).filter(pk__in=news)
    locked = list(rows.order_by("pk").values_list("pk", flat=True))
    groups: dict[tuple[tuple[str, Any], ...], list[int]] = {}
    for pk in locked:
        groups.setdefault(tuple(news[pk].items()), []).append(pk)
    for columns, pks in groups.items():
        Trigger.objects.filter(pk__in=pks).update(**dict(columns))
