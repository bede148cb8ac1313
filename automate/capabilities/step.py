"""`workflow.step`: the work of one step of a workflow, and the time between two steps."""

import json
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from automate.models import WorkflowRun
from automate.services.carriers import STEP
from automate.services.owners import owner_of
from automate.steps import Step, StepContext, get_step_type
from automate_api.engine.capability import Capability, RunContext, register
from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import AutomateError, Conflict, FieldError, InvalidInput, NotConfigured, StepFailed
from automate_api.models import Actor
from automate_api.services.secrets import encrypting


@register
class StepCapability(Capability):
    """Have a step's type do its work. The output is what it gives; what follows is its job's continuation.

    The input is `{run, path, type, with, computed}`; `{run}` alone is a step's waiting, and does nothing.
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
    run, actor = await ctx.db(_found, UUID(asked["run"]))
    step = StepContext(
        key=f"{asked['run']}:{asked['path']}",
        settings=asked["with"],
        computed=frozenset(asked["computed"]),
        actor=actor,
        correlation_id=ctx.correlation_id,
        attempt=ctx.attempt,
        reveal=lambda name: _secret(run, name),
        run=ctx,
    )
    return await kind.run(step)


def _found(run_id: UUID) -> tuple[WorkflowRun, Actor]:
    run = WorkflowRun.objects.select_related("workflow").filter(pk=run_id).first()
    if run is None or run.workflow is None or run.status not in WorkflowRun.UNFINISHED:
        raise Conflict(_("The run has ended."))
    return run, owner_of(run.workflow)


def _secret(run: WorkflowRun, name: str) -> str:
    with encrypting():
        secrets = json.loads(run.workflow.secrets.reveal() or "{}")
    if name not in secrets:
        raise InvalidInput([FieldError("secret", "unknown_secret", str(_("The workflow has no such secret.")))])
    secret: str = secrets[name]
    return secret
