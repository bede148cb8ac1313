"""`workflow.step`: the work of one step of a workflow, and the time between two steps."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from automate.models import WorkflowRun
from automate.services.carriers import STEP
from automate.services.owners import owner_of_run
from automate.services.secrets import secrets_of
from automate.services.stored import detail_of
from automate.steps import StepContext, get_step_type
from automate_api.engine.capability import Capability, RunContext, register
from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import Conflict, FieldError, InvalidInput, NotConfigured
from automate_api.models import Actor

# Shorter ones are words: to take them out of every text would take more than a secret.
_SHORTEST_SECRET = 8

_UNREAD = ("context", "workflow__definition", "version__definition")


@register
class StepCapability(Capability):
    """Have a step's type do its work. The output is what it gives; what follows is its job's continuation.

    The input is `{run, path, type, with, computed, secrets}`; `{run}` alone is a step's waiting, and does nothing.
    """

    task_type = STEP
    label = _("Step of a workflow")
    for_endpoints = False

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        output = await _work(ctx) if "path" in ctx.input else None
        yield RunEvent(EventType.FINAL, {"output": output, "usage": None, "cost": None})


async def _work(ctx: RunContext) -> Any:
    asked, kind = ctx.input, get_step_type(ctx.input["type"])
    if kind is None:
        raise NotConfigured
    settings, actor, secrets = await ctx.db(_prepared, asked)
    ctx.secrets += secrets
    step = StepContext(
        key=f"{asked['run']}:{asked['path']}",
        settings=settings,
        computed=frozenset(asked["computed"]),
        actor=actor,
        correlation_id=ctx.correlation_id,
        attempt=ctx.attempt,
        run=ctx,
    )
    try:
        return await kind.run(step)
    except InvalidInput as exc:
        raise InvalidInput(exc.errors, detail_of(exc)) from exc


def _prepared(asked: dict[str, Any]) -> tuple[dict[str, Any], Actor, list[str]]:
    """The step's settings, its secrets in their places; whose rights it has; and what of them nobody may learn."""
    runs = WorkflowRun.objects.select_related("workflow", "version").defer(*_UNREAD)
    run = runs.filter(pk=UUID(asked["run"])).first()
    if run is None or run.workflow is None or run.status not in WorkflowRun.UNFINISHED:
        raise Conflict(_("The run has ended."))
    settings, known = asked["with"], secrets_of(run.workflow) if asked["secrets"] else {}
    for place, name in asked["secrets"]:
        settings = _with_secret(settings, place, known, name)
    return settings, owner_of_run(run), [text for value in known.values() for text in _telling(value)]


def _telling(secret: str) -> Iterator[str]:
    """What tells a secret, unless it is just a word: itself, and of credentials what follows their scheme."""
    credentials = secret.partition(" ")[2]
    yield from (text for text in (secret, credentials) if len(text) >= _SHORTEST_SECRET)


def _with_secret(value: Any, place: list[Any], known: dict[str, str], name: str) -> Any:
    if not place:
        if name not in known:
            detail = str(_("The workflow has no such secret."))
            raise InvalidInput([FieldError("secret", "unknown_secret", detail)], detail)
        return known[name]
    filled = dict(value) if isinstance(value, dict) else list(value)
    filled[place[0]] = _with_secret(value[place[0]], place[1:], known, name)
    return filled
