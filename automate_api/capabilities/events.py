"""`event.handle`: the host's handlers are told of events, once each."""

import copy
import hashlib
import logging
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate_api.engine.capability import Capability, RunContext, register
from automate_api.engine.events import EventType, RunEvent
from automate_api.events import Handler, handlers_wanting, path_of
from automate_api.exceptions import AutomateError, HandlerFailed
from automate_api.models import Event, JobStep
from automate_api.security.redaction import redact_exception

logger = logging.getLogger(__name__)

# Events that are read together; after each such lot it is said how far it is.
_LOT = 100


@register
class EventCapability(Capability):
    """Call the handlers of events, each once for each event, in the order of the events.

    The input is `{"events": [ids]}`. What a handler does in the database is stored together with the note that it was
    called, or not at all. One that raises keeps nobody else from being called; then the attempt has failed, and the
    next calls those that have not succeeded yet. So it does where the attempt took too long. The output is
    `{events, calls}`: how many events there were, and how many calls have succeeded in this attempt.
    """

    task_type = "event.handle"
    label = _("Call handlers of events")
    for_endpoints = False
    resumes = True
    input_schema = {
        "type": "object",
        "properties": {"events": {"type": "array", "items": {"type": "string", "format": "uuid"}}},
        "required": ["events"],
        "additionalProperties": False,
    }

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        ids = ctx.input["events"]
        calls = failures = 0
        for start in range(0, len(ids), _LOT):
            for event, handler in await ctx.db(_calls_to_make, ctx, ids[start : start + _LOT]):
                if await _is_called(ctx, handler, event):
                    calls += 1
                else:
                    failures += 1
                    yield _failure(handler, event)
            yield RunEvent(EventType.PROGRESS, {"done": min(start + _LOT, len(ids)), "total": len(ids)})
        if failures:
            raise HandlerFailed
        output = {"events": len(ids), "calls": calls}
        yield RunEvent(EventType.FINAL, {"output": output, "usage": None, "cost": None})


def _calls_to_make(ctx: RunContext, ids: list[str]) -> list[tuple[Event, Handler]]:
    """The handlers of these events, each with its event, but for those that an attempt before has called."""
    found = Event.objects.of_tenant(ctx.tenant_id).in_bulk(ids)
    events = {str(pk): event for pk, event in found.items()}
    # One that was deleted meanwhile concerns nobody any more.
    told = handlers_wanting({event.type for event in events.values()}, tenant_id=ctx.tenant_id)
    calls = [(events[pk], handler) for pk in ids if pk in events for handler in told.get(events[pk].type, ())]
    keys = [_key(handler, event) for event, handler in calls]
    steps = (
        JobStep.objects.filter(job__execution=ctx.run_id, key__in=keys) if ctx.attempt > 1 else JobStep.objects.none()
    )
    done = set(steps.values_list("key", flat=True))
    return [call for call, key in zip(calls, keys, strict=True) if key not in done]


async def _is_called(ctx: RunContext, handler: Handler, event: Event) -> bool:
    """Call the handler; False where it has failed, and what it did is undone.

    Raises:
        RunCancelled: another process has taken the job over.
    """
    try:
        await ctx.once(_key(handler, event), partial(_call, handler, event))
    except AutomateError:
        raise
    except Exception as exc:  # noqa: BLE001 - a host's handler raises anything, and so may the commit of what it did
        traceback = redact_exception((exc.__cause__ if isinstance(exc, _Raised) else None) or exc)
        extra = {"correlation_id": ctx.correlation_id}
        logger.error(
            "The handler %s has failed for the event %s: %s", path_of(handler), event.pk, traceback, extra=extra
        )
        return False
    return True


class _Raised(Exception):
    """A handler has raised something, perhaps an error of ours."""


def _call(handler: Handler, event: Event) -> None:
    try:
        # Of each its own: what one changes is nobody else's business.
        handler(copy.deepcopy(event))
    except BaseException as exc:
        # Also what would end the run, or the loop it is on: nobody interrupts this thread but the handler itself.
        raise _Raised from exc


def _key(handler: Handler, event: Any) -> str:
    """What the step is called, of no more characters than a step's name may have."""
    path = path_of(handler)
    if len(path) > 160:
        path = hashlib.sha256(path.encode()).hexdigest()
    return f"{event.pk}:{path}"


def _failure(handler: Handler, event: Any) -> RunEvent:
    # Never in the exception's words: whoever sent the event reads this.
    message = f"The handler {path_of(handler)} has failed for the event {event.pk}."
    return RunEvent(EventType.LOG, {"level": "error", "message": message})
