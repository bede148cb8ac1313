"""`workflow.run`: an endpoint runs a workflow."""

import asyncio
import time
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate.models import Workflow, WorkflowRun
from automate.services.runs import asked_context, require_input, start_run
from automate_api.engine.capability import Capability, RunContext, register
from automate_api.engine.events import EventType, RunEvent
from automate_api.events import depth
from automate_api.exceptions import Conflict, NotFound, WorkflowFailed

#: Seconds between two looks at a run that is waited for: doubling from the first to the second.
_SOON, _SELDOM = 0.05, 1.0


@register
class RunCapability(Capability):
    """Run the workflow that the endpoint's configuration names, with the input as its event's payload.

    The output is `{run, status, output}`: at once, or where `wait` says so, when the run has ended. A run that has
    failed by then is an error.
    """

    task_type = "workflow.run"
    label = _("Run a workflow")
    config_schema = {
        "type": "object",
        "properties": {"workflow": {"type": "string", "maxLength": 64, "description": "The workflow's slug."}},
        "required": ["workflow"],
        "additionalProperties": False,
    }
    params_schema = {
        "type": "object",
        "properties": {
            "wait": {
                "type": "number",
                "minimum": 0,
                "maximum": 600,
                "default": 0,
                "description": "Seconds to wait for the run's end; 0 answers as soon as it is stored.",
            }
        },
        "additionalProperties": False,
    }

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        run_id = await ctx.once("start", partial(_start, ctx))
        last, pause = time.monotonic() + ctx.params.get("wait", 0), _SOON
        run = await ctx.db(_read, run_id)
        while run.status in WorkflowRun.UNFINISHED and time.monotonic() < last:
            await asyncio.sleep(min(pause, max(0.0, last - time.monotonic())))
            pause = min(pause * 2, _SELDOM)
            run = await ctx.db(_read, run_id)
        if run.status in (WorkflowRun.Status.FAILED, WorkflowRun.Status.CANCELLED):
            raise WorkflowFailed
        output = {"run": run_id, "status": run.status, "output": run.output}
        yield RunEvent(EventType.FINAL, {"output": output, "usage": None, "cost": None})


def _start(ctx: RunContext) -> str:
    slug = ctx.config["workflow"]
    workflow = Workflow.objects.of_tenant(ctx.tenant_id).filter(slug=slug).first()
    if workflow is None:
        raise NotFound(_("The endpoint's workflow has been deleted."))
    if not workflow.enabled:
        raise Conflict(_("The workflow is switched off."))
    require_input(workflow, ctx.input)
    run = start_run(
        workflow,
        context=asked_context(ctx.input, correlation_id=ctx.correlation_id),
        user_id=ctx.user_id,
        correlation_id=ctx.correlation_id,
        depth=depth.get() + 1,
        execution_id=ctx.run_id,
    )
    return str(run.pk)


def _read(run_id: Any) -> WorkflowRun:
    run: WorkflowRun = WorkflowRun.objects.get(pk=run_id)
    return run
