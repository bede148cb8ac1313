"""`workflow.wake`: what waits for an event goes on, where it is too much for the transaction that handles the event."""

import logging
from collections.abc import AsyncGenerator
from functools import partial

from django.utils.translation import gettext_lazy as _

from automate.services.waits import WAKE, wake_for
from automate_api.engine.capability import Capability, RunContext, register
from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import AutomateError, HandlerFailed
from automate_api.models import Event
from automate_api.security.redaction import redact_exception

logger = logging.getLogger(__name__)


@register
class WakeCapability(Capability):
    """Have steps go on that wait for an event, a lot in each transaction: others of the database get their turn.

    The input is `{event, after}`: the event's id, and that of the last step that has been asked.
    """

    task_type = WAKE
    label = _("Go on with an event")
    for_endpoints = False
    resumes = True

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        after = ctx.input["after"]
        while after is not None:
            after = await _woken(ctx, after)
        yield RunEvent(EventType.FINAL, {"output": None, "usage": None, "cost": None})


async def _woken(ctx: RunContext, after: int) -> int | None:
    try:
        last: int | None = await ctx.once(str(after), partial(_wake, ctx, after))
    except AutomateError:
        raise
    except Exception as exc:
        # The database has failed: the next attempt goes on from here.
        logger.error("The event %s could not be gone on with: %s", ctx.input["event"], redact_exception(exc))
        raise HandlerFailed from exc
    return last


def _wake(ctx: RunContext, after: int) -> int | None:
    event = Event.objects.of_tenant(ctx.tenant_id).filter(pk=ctx.input["event"]).first()
    return None if event is None else wake_for(event, after=after)
