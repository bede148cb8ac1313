"""Schedules: triggers that are due, and what has been missed.

A time that is due becomes an event of its own, which is stored in the transaction that moves the trigger on to its next
time: each is told once, however many look for it, and wherever one of them dies.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings as django_settings
from django.db import Error as DatabaseFailure
from django.db import transaction
from django.db.models import DateTimeField, Value
from django.utils import timezone

from automate.conf import settings
from automate.models import Trigger
from automate.services.cron import InvalidSchedule, Schedule, parse_schedule
from automate.services.own_events import SCHEDULE, source_of_trigger, tell
from automate_api.ids import uuid7
from automate_api.models.now import Now
from automate_api.security.redaction import redact_exception
from automate_api.services.recording import writing

logger = logging.getLogger(__name__)

# Triggers that are looked at together.
_BATCH = 500


def next_due(schedule: Schedule) -> datetime | None:
    """The next time from now on at which a trigger with this schedule is due, as its column holds it."""
    due: datetime | None = _stored(schedule.next(datetime.now(UTC)))
    return due


def run_due(now: datetime | None = None) -> int:
    """Tell of all times that are due; how many there were.

    Any number of processes may do so at once. A trigger of a workflow that is switched off goes on without telling.

    Args:
        now: the present; the database's where it is None.
    """
    told = 0
    while batch := _due(now):
        done = [_run(trigger) for trigger in batch]
        told += sum(done)
        if len(batch) < _BATCH or not any(done):
            break
    return told


def _due(now: datetime | None) -> list[Trigger]:
    present = Now() if now is None else Value(_stored(now), output_field=DateTimeField())
    due = Trigger.objects.filter(kind=Trigger.Kind.SCHEDULE, enabled=True, next_due__lte=present)
    due = due.select_related("workflow").annotate(read_at=present).order_by("next_due", "pk")
    columns = ("tenant_id", "kind", "schedule", "time_zone", "catch_up", "next_due", "workflow__enabled")
    return list(due.only(*columns)[:_BATCH])


def _run(trigger: Trigger) -> int:
    """Tell of the times at which `trigger` is due; none where somebody else does. One that fails keeps nobody back."""
    try:
        return _tell_of(trigger, parse_schedule(trigger.schedule, trigger.time_zone))
    except InvalidSchedule as exc:
        # It was valid once, before another version of what reads it, or of the time zones.
        _seen(trigger).update(next_due=None, last_error=exc.detail)
    except DatabaseFailure:
        raise
    except Exception as exc:  # noqa: BLE001 - the next one may well succeed, and this one in a second
        logger.error("The schedule of trigger %s could not be told of: %s", trigger.pk, redact_exception(exc))
    return 0


def _tell_of(trigger: Trigger, schedule: Schedule) -> int:
    now, first = _aware(vars(trigger)["read_at"]), _aware(trigger.next_due)
    most = 1 if trigger.catch_up == Trigger.CatchUp.LATEST else max(1, settings.catch_up)
    times = [first, *schedule.latest(most, after=first, until=now)][-most:]
    following = _stored(schedule.next(now))
    with writing(), transaction.atomic():
        if not _seen(trigger).update(next_due=following):
            return 0
        if trigger.workflow.enabled:
            tell([_event(trigger, time) for time in times], tenant_id=trigger.tenant_id, correlation_id=uuid7().hex)
    return len(times)


def _seen(trigger: Trigger) -> Any:
    """The trigger, if nobody has changed or run it since it was read."""
    seen = {name: getattr(trigger, name) for name in ("pk", "next_due", "schedule", "time_zone")}
    return Trigger.objects.filter(**seen, enabled=True)


def _event(trigger: Trigger, due: datetime) -> Mapping[str, Any]:
    said = due.isoformat().replace("+00:00", "Z")
    return {
        "type": SCHEDULE,
        "source": source_of_trigger(trigger),
        "payload": {"due": said},
        "idempotency_key": said,
        "occurred_at": _stored(due),
    }


def _aware(moment: datetime | None) -> datetime:
    """A moment of the database in UTC."""
    if moment is None:
        raise ValueError("This is never due.")
    return (moment if timezone.is_aware(moment) else timezone.make_aware(moment)).astimezone(UTC)


def _stored(moment: datetime | None) -> Any:
    """A moment as the database holds it."""
    return moment if moment is None or django_settings.USE_TZ else timezone.make_naive(moment)
