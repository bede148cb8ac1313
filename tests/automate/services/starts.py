"""Triggers for tests, and what they have started."""

from typing import Any

from automate.handlers import follow
from automate.models import Trigger, Workflow, WorkflowRun
from automate.services.triggers import create_trigger
from automate_api.models import Actor, Event, Execution
from automate_api.services.events import ingest
from tests.automate.making import make_workflow, step
from tests.factories import make_user


def flow(**fields: Any) -> Workflow:
    """A workflow of one step that ends at once."""
    return make_workflow(step("note", seen={"path": "$.event.payload"}), **fields)


def make_trigger(workflow: Workflow | None = None, **fields: Any) -> Trigger:
    """A trigger; of a workflow of its own unless given, and of `order.paid` unless something else is said."""
    if "kind" not in fields:
        fields = {"kind": "event", "pattern": "order.paid", **fields}
    workflow = workflow or flow()
    actor = Actor(user=workflow.owner, tenant_id=workflow.tenant_id)
    return create_trigger(actor=actor, **{"workflow": workflow, "name": "Start", **fields})[0]


def make_hook(workflow: Workflow | None = None, **fields: Any) -> tuple[Trigger, str]:
    """A hook, and the token of its address."""
    workflow = workflow or flow()
    actor = Actor(user=workflow.owner, tenant_id=workflow.tenant_id)
    trigger, token = create_trigger(actor=actor, workflow=workflow, name="Hook", kind="hook", **fields)
    assert token is not None
    return trigger, token


def send(*types: str, tenant_id: str = "default", source: str = "shop", payload: Any = None, **event: Any) -> list[Any]:
    """Send an event of each of these types; their ids."""
    events = [{"type": name, "source": source, "payload": payload or {}, **event} for name in types]
    sender = Actor(user=make_user(), tenant_id=tenant_id)
    return [pk for pk, _status in ingest(events, actor=sender, correlation_id="c-7")]


def handle() -> int:
    """Handle the events whose jobs are waiting, as a worker would, in the test's own transaction; how many."""
    jobs = Execution.objects.filter(task_type="event.handle", status="queued").order_by("pk")
    ids = [pk for execution in jobs for pk in execution.input["events"]]
    jobs.update(status="succeeded")
    for pk in ids:
        follow(Event.objects.get(pk=pk))
    return len(ids)


def runs(trigger: Trigger | None = None) -> list[WorkflowRun]:
    """What has been started, by the trigger or at all, in the order of its events."""
    found = WorkflowRun.objects.all() if trigger is None else WorkflowRun.objects.filter(trigger=trigger)
    return list(found.order_by("created_at", "pk"))


def fresh(trigger: Trigger) -> Trigger:
    """The trigger as it is stored."""
    stored: Trigger = Trigger.objects.get(pk=trigger.pk)
    return stored
