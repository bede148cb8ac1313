"""`wait`: for a while, until a time, or for an event."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from automate.graph.step_types import RuleField
from automate.rules import Type
from automate.steps.base import Step, register_step
from automate.steps.context import Turn
from automate.steps.outcomes import Done, Wait
from automate_api.exceptions import FieldError, InvalidInput

#: Seconds that a wait may take at most: 400 days.
LONGEST = 400 * 24 * 3600

# So much shows before the run; whether there is such a day does not.
_MOMENT = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})$"
_SECONDS: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": LONGEST}


@register_step
class WaitStep(Step):
    """Wait. Nobody works meanwhile. The output is the event that was waited for, else null."""

    type = "wait"
    label = _("Wait")
    schema = {
        "type": "object",
        "properties": {
            "seconds": {**_SECONDS, "description": "How long."},
            "until": {
                "type": "string",
                "format": "date-time",
                "pattern": _MOMENT,
                "description": "Until when (RFC 3339).",
            },
            "event": {
                "type": "object",
                "description": "For which event of the tenant.",
                "properties": {
                    "type": {"type": "string", "minLength": 1, "maxLength": 200, "description": "As of a trigger."},
                    "where": {"type": "string", "description": "A rule; it sees the event as `received`."},
                },
                "required": ["type"],
                "additionalProperties": False,
            },
            "timeout": {**_SECONDS, "description": "Seconds after which no event is waited for any more."},
        },
        "oneOf": [{"required": ["seconds"]}, {"required": ["until"]}, {"required": ["event"]}],
        "dependentRequired": {"timeout": ["event"]},
        "additionalProperties": False,
    }
    literal_fields = ("event",)
    rule_fields = (RuleField("event.where", names={"received": Type.MAP}),)

    def begin(self, turn: Turn) -> Done | Wait:
        asked, now = turn.settings, timezone.now()
        if "event" in asked:
            timeout = asked.get("timeout", LONGEST)
            return Wait(until=now + timedelta(seconds=timeout), pattern=asked["event"]["type"])
        until = _time(asked["until"]) if "until" in asked else now + timedelta(seconds=asked["seconds"])
        if until > now + timedelta(seconds=LONGEST):
            raise InvalidInput([FieldError("until", "too_late", str(_("This is more than 400 days from now.")))])
        return Wait(until=until) if until > now else Done()


def _time(text: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        detail = str(_("A time has a date, a time of day and an offset: 2026-11-30T09:00:00+01:00."))
        raise InvalidInput([FieldError("until", "invalid", detail)])
    return found
