"""Events that this package tells of itself: a schedule's time, a request to a hook, a change of a watched model.

Each starts only the triggers that it is meant for, which are told by its source. Nobody else can send one from such a
source: `events/` refuses sources that begin with `automate:`.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from automate.models import Trigger
from automate_api.events import RESERVED
from automate_api.models import Actor
from automate_api.services.events import ingest

HOOK, SCHEDULE, MODEL = "hook.received", "schedule.due", "model.changed"

_OF_TRIGGER, _OF_MODEL = f"{RESERVED}trigger:", f"{RESERVED}model:"
_KINDS = {HOOK: Trigger.Kind.HOOK, SCHEDULE: Trigger.Kind.SCHEDULE}


def source_of_trigger(trigger: Trigger) -> str:
    """The source of the events of one hook or schedule."""
    return f"{_OF_TRIGGER}{trigger.pk}"


def source_of_model(label: str) -> str:
    """The source of the events of a watched model."""
    return f"{_OF_MODEL}{label}"


def meant_triggers(event_type: str, source: str) -> dict[str, Any] | None:
    """By which columns the triggers are told that an event is meant for; None where it is not one of these events."""
    if source.startswith(_OF_TRIGGER) and event_type in _KINDS:
        return {"kind": _KINDS[event_type], "pk": int(source.removeprefix(_OF_TRIGGER))}
    if source.startswith(_OF_MODEL) and event_type == MODEL:
        return {"kind": Trigger.Kind.MODEL, "pattern": source.removeprefix(_OF_MODEL)}
    return None


def tell(items: Sequence[Mapping[str, Any]], *, tenant_id: str, correlation_id: str) -> list[tuple[UUID, str]]:
    """Store events that nobody has sent, as `ingest` does, whose errors it raises."""
    nobody = Actor(user=AnonymousUser(), tenant_id=tenant_id)
    return ingest(items, actor=nobody, correlation_id=correlation_id, own=True)
