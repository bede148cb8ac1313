"""Workflows for tests, steps that a test writes, and a worker within the test."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import F

from automate.models import StepRun, Workflow, WorkflowRun, WorkflowVersion
from automate.services.runs import asked_context, start_run
from automate.steps import Step, StepContext
from automate_api.models import Job
from automate_api.services.attempts import work_on
from tests.factories import make_user


class WrittenStep(Step):
    """Does what the test says: `script(ctx)` is an asynchronous function. The settings are anything."""

    type = "test.written"
    schema = {"type": "object"}
    script: ClassVar[Callable[[StepContext], Awaitable[Any]]]

    async def run(self, ctx: StepContext) -> Any:
        return await type(self).script(ctx)


def step(name: str, kind: str = "set", *, then: str | list[str] = (), **more: Any) -> dict[str, Any]:
    """A step as a definition has it; `then` is its `next`, and what is not a member of a step is in its `with`."""
    own = {member: more.pop(member) for member in ("on_error", "retries", "timeout") if member in more}
    following = {"next": [then] if isinstance(then, str) else list(then)} if then else {}
    settings = more.pop("settings", more)
    if kind == "set" and "values" not in settings:
        settings = {"values": settings}
    return {"name": name, "type": kind, "with": settings, **following, **own}


def make_workflow(*steps: dict[str, Any], owner: Any = None, tenant_id: str = "default", **columns: Any) -> Workflow:
    """A workflow of these steps, at its first version; `output` is the definition's."""
    definition: dict[str, Any] = {"steps": list(steps)}
    for member in ("output", "condition", "input_schema"):
        if member in columns:
            definition[member] = columns.pop(member)
    columns = {"slug": f"flow-{Workflow.objects.count()}", **columns}
    workflow = Workflow.objects.create(
        tenant_id=tenant_id,
        name=columns["slug"],
        owner=owner or make_user(is_staff=True),
        definition=definition,
        condition=definition.get("condition", ""),
        **columns,
    )
    WorkflowVersion.objects.create(workflow=workflow, version=1, definition=definition, user=workflow.owner)
    return workflow


def begin(workflow: Workflow, payload: Any = None, **more: Any) -> WorkflowRun:
    """A run of it, begun."""
    context = asked_context({} if payload is None else payload, correlation_id="c-1")
    return start_run(workflow, context=context, user_id=None, correlation_id="c-1", **more)


def work() -> int:
    """Work on whatever is due until nothing is; how many jobs that were."""
    worked = 0
    while due := list(Job.objects.due().order_by("pk").values_list("pk", flat=True)):
        worked += sum(work_on(pk) for pk in due)
    return worked


def pass_time(seconds: float) -> None:
    """Let so many seconds pass for jobs that wait."""
    past = timedelta(seconds=seconds)
    Job.objects.unfinished().update(not_before=F("not_before") - past)


def fresh(run: WorkflowRun) -> WorkflowRun:
    """The run as it is stored."""
    stored: WorkflowRun = WorkflowRun.objects.get(pk=run.pk)
    return stored


def states(run: WorkflowRun) -> dict[str, str]:
    """How each step stands, by its path."""
    return {row.path: str(row.status) for row in StepRun.objects.filter(run=run)}


def outputs(run: WorkflowRun) -> dict[str, Any]:
    """What each step that has succeeded gave, by its path."""
    return {row.path: row.output for row in StepRun.objects.filter(run=run, status="succeeded")}
