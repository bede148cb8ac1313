"""`emit` stores an event of the workflow's tenant once, and no chain of them goes on for ever."""

from typing import Any

import pytest
from pytest_django import Settings

from automate.models import WorkflowRun
from automate.steps import StepContext
from automate.steps.emit import SOURCE, EmitStep
from automate_api.exceptions import InvalidInput, UpstreamFailed
from automate_api.models import Event
from tests.automate.making import begin, fresh, make_workflow, outputs, pass_time, step, work
from tests.automate.services.starts import make_trigger, send
from tests.factories import make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]


def told(**event: Any) -> dict[str, Any]:
    return step("tell", "emit", settings={"event": "order.told", **event}, retries=1)


def test_an_event_is_the_owners_in_the_workflows_tenant() -> None:
    owner = make_user(is_staff=True)
    payload = {"order": {"path": "$.event.payload.id"}, "secret": {"value": {"cel": "no expression"}}}
    run = begin(make_workflow(told(payload=payload), tenant_id="north", owner=owner), {"id": "A-1", "tenant_id": "x"})
    work()
    event = Event.objects.get()
    assert (event.tenant_id, event.user, event.source) == ("north", owner, SOURCE)
    assert (event.correlation_id, event.idempotency_key) == ("c-1", f"{run.pk}:tell")
    assert event.payload == {"order": "A-1", "secret": {"cel": "no expression"}}
    assert outputs(fresh(run)) == {"tell": {"id": str(event.pk)}}


def test_an_attempt_after_one_that_stored_it_stores_none(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = EmitStep.run

    async def break_off_at_first(self: EmitStep, ctx: StepContext) -> Any:
        output = await stored(self, ctx)
        if ctx.attempt == 1:
            raise UpstreamFailed
        return output

    monkeypatch.setattr(EmitStep, "run", break_off_at_first)
    run = begin(make_workflow(told()))
    work()
    assert (Event.objects.count(), fresh(run).status) == (1, "running")
    pass_time(60)
    work()
    assert outputs(fresh(run)) == {"tell": {"id": str(Event.objects.get().pk)}}


def test_an_event_from_elsewhere_with_the_steps_key_is_another() -> None:
    run = begin(make_workflow(told()))
    send("order.told", idempotency_key=f"{run.pk}:tell")
    work()
    assert Event.objects.filter(type="order.told").count() == 2


def test_nobody_sends_from_the_steps_source_and_so_makes_its_event_a_duplicate() -> None:
    run = begin(make_workflow(told()))
    with pytest.raises(InvalidInput):
        send("order.other", source=SOURCE, idempotency_key=f"{run.pk}:tell")
    send("order.other", source="workflow", idempotency_key=f"{run.pk}:tell")
    work()
    assert Event.objects.filter(type="order.told").count() == 1


def test_what_is_no_event_fails_the_step(settings: Settings) -> None:
    settings.AUTOMATE_API_EVENT_MAX_BYTES = 1000
    payloads = ({"path": "$.event.payload"}, {"long": {"cel": "event.payload[0]"}})
    runs = [begin(make_workflow(told(payload=payload)), ["x" * 1000]) for payload in payloads]
    work()
    assert [fresh(run).error["code"] for run in runs] == ["invalid_input"] * 2
    assert not Event.objects.exists()


def test_workflows_that_start_each_other_come_to_an_end() -> None:
    workflow = make_workflow(told(payload={"n": {"cel": "event.payload.n + 1"}}))
    make_trigger(workflow, pattern="order.*")
    other = make_workflow(told(payload={"n": 0}), tenant_id="other")
    send("order.told", payload={"n": 1})
    work()
    runs = WorkflowRun.objects.order_by("depth")
    assert [(run.depth, run.status, run.context["payload"]["n"]) for run in runs] == [
        *((depth, "succeeded", depth) for depth in range(1, 6)),
        (6, "failed", 6),
    ]
    assert runs.last().error["code"] == "workflow_too_deep"
    assert not other.runs.exists()
