"""`emit`: an event of the workflow's own."""

import json
from functools import partial

from django.utils.translation import gettext_lazy as _

from automate.steps.base import Step, register_step
from automate.steps.context import StepContext
from automate_api.conf import settings
from automate_api.events import RESERVED
from automate_api.exceptions import FieldError, InvalidInput
from automate_api.services.events import ingest

#: The source of every event that a workflow emits. Nobody else can send from it: who knows a run's id knows the key of
#: its step too, and would otherwise have the step's event pass for one that is there already.
SOURCE = f"{RESERVED}workflow"


@register_step
class EmitStep(Step):
    """Store an event of the workflow's tenant, once, for handlers and triggers. The output is `{id}`."""

    type = "emit"
    label = _("Emit an event")
    schema = {
        "type": "object",
        "properties": {
            "event": {
                "type": "string",
                "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,199}$",
                "description": "The event's type, such as `refund.failed`.",
            },
            "payload": {"type": "object", "description": "What it says."},
        },
        "required": ["event"],
        "additionalProperties": False,
    }
    output_schema = {
        "type": "object",
        "properties": {"id": {"type": "string"}},
        "required": ["id"],
        "additionalProperties": False,
    }
    literal_fields = ("event",)

    async def run(self, ctx: StepContext) -> dict[str, str]:
        if len(json.dumps(ctx.settings.get("payload"), ensure_ascii=False).encode()) > settings.event_max_bytes:
            detail = str(_("This is larger than the payload of an event may be."))
            raise InvalidInput([FieldError("payload", "too_long", detail)], detail)
        return {"id": await ctx.once("emit", partial(_emit, ctx))}


def _emit(ctx: StepContext) -> str:
    event = {
        "type": ctx.settings["event"],
        "source": SOURCE,
        "payload": ctx.settings.get("payload", {}),
        "idempotency_key": ctx.key,
    }
    [(pk, _state)] = ingest([event], actor=ctx.actor, correlation_id=ctx.correlation_id, own=True)
    return str(pk)
