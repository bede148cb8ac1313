"""Runs are found, and done again."""

from typing import Any

import pytest

from automate.models import StepRun, WorkflowRun, WorkflowVersion
from automate.services import WorkflowService
from automate.services.runs import cancel_run, find_run, replay_run
from automate.services.waits import decide_step
from automate.steps import StepContext
from automate_api.exceptions import Conflict, InvalidInput, NotFound, StepFailed
from automate_api.models import Actor
from tests.automate.making import begin, fresh, make_workflow, outputs, pass_time, states, step, work
from tests.factories import make_actor, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]


def test_a_run_is_found_by_staff_and_by_who_caused_it() -> None:
    run = begin(make_workflow(step("one")))
    user = make_user()
    type(run).objects.filter(pk=run.pk).update(user=user)
    for actor in (make_actor(is_staff=True), Actor(user=user, tenant_id="default")):
        assert find_run(str(run.pk), actor=actor) == run
    strangers = [make_actor(), make_actor(tenant_id="other", is_staff=True), Actor(user=user, tenant_id=None)]
    for actor in strangers:
        with pytest.raises(NotFound):
            find_run(str(run.pk), actor=actor)
    for key in ("nothing", "\x00", "0" * 32):
        with pytest.raises(NotFound):
            find_run(key, actor=make_actor(is_staff=True))


def test_a_replay_does_all_of_it_again_on_the_same_version() -> None:
    workflow = make_workflow(step("one", n={"path": "$.event.payload.n"}), output={"path": "$.steps.one.output.n"})
    run = begin(workflow, {"n": 7})
    changed = {"steps": [step("one", n=0)]}
    WorkflowVersion.objects.create(workflow=workflow, version=2, definition=changed)
    type(workflow).objects.update(definition=changed, version=2)
    actor = make_actor(is_staff=True)
    again = replay_run(run, actor=actor, correlation_id="c-9")
    assert (again.output, again.replay_of, again.user, again.correlation_id) == (7, run, actor.user, "c-9")
    assert again.pk != run.pk
    assert begin(type(workflow).objects.get(), {"n": 7}).output is None


def test_what_a_version_does_is_done_with_the_rights_of_whoever_wrote_it(write: Any) -> None:
    done: list[str] = []

    async def script(ctx: StepContext) -> None:
        done.append(ctx.actor.user.username)

    write(script)
    wait = step("wait", "wait", seconds=60, then="act")
    writer, other = make_user(username="writer", is_staff=True), make_user(username="other", is_staff=True)
    workflow = make_workflow(wait, step("act", "test.written"), owner=writer)
    run = begin(workflow)
    service = WorkflowService(actor=Actor(user=other, tenant_id="default"))
    present = service.update(workflow, definition={"steps": [step("act", "test.written")]})
    begin(present)
    pass_time(61)
    work()
    replay_run(fresh(run), actor=service.actor, correlation_id="c-9", from_step="act")
    work()
    assert done == ["other", "writer", "writer"]
    writer.delete()
    failed = replay_run(fresh(run), actor=service.actor, correlation_id="c-9", from_step="act")
    assert (failed.status, failed.error["code"]) == ("failed", "permission_denied")


def test_a_replay_from_a_step_takes_over_what_does_not_come_after_it(write: Any) -> None:
    done: list[str] = []

    async def script(ctx: StepContext) -> Any:
        name = ctx.key.rpartition(":")[2]
        done.append(name)
        if name == "bad" and done.count("bad") == 1:
            raise StepFailed
        return len(done)

    write(script)
    run = begin(
        make_workflow(
            step("start", "test.written", then=["beside", "bad"]),
            step("beside", "test.written", then="end"),
            step("bad", "test.written", then="end"),
            step("end", sum={"cel": "[steps.start.output, steps.beside.output, steps.bad.output]"}),
        )
    )
    work()
    assert fresh(run).status == "failed"
    assert outputs(run) == {"start": 1, "beside": 2}
    again = replay_run(fresh(run), actor=make_actor(is_staff=True), correlation_id="c-9", from_step="bad")
    work()
    assert done == ["start", "beside", "bad", "bad"]
    assert outputs(again) == {"start": 1, "beside": 2, "bad": 4, "end": {"sum": [1, 2, 4]}}
    assert fresh(again).status == "succeeded"
    # What the first run was, it still is.
    assert states(run)["bad"] == "failed"


def test_a_run_that_is_deleted_meanwhile_is_neither_replayed_nor_decided() -> None:
    workflow, actor = make_workflow(step("one"), step("two")), make_actor(is_staff=True)
    deleted, asking = begin(workflow), begin(make_workflow(step("ask", "approval")))
    for run in (deleted, asking):
        WorkflowRun.objects.filter(pk=run.pk).delete()
    with pytest.raises(Conflict):
        replay_run(deleted, actor=actor, correlation_id="c")
    with pytest.raises(NotFound):
        decide_step(asking, "ask", actor=actor, approved=True)
    kept = begin(workflow)
    WorkflowService(actor=actor).delete(type(workflow).objects.get(pk=workflow.pk))
    with pytest.raises(Conflict):
        replay_run(kept, actor=actor, correlation_id="c")
    assert set(WorkflowRun.objects.values_list("pk", flat=True)) == {kept.pk}


def test_what_had_not_ended_beside_the_step_is_done_again(write: Any) -> None:
    async def script(ctx: StepContext) -> Any:
        return ctx.key

    write(script)
    run = begin(
        make_workflow(
            step("start", then=["left", "right"]), step("left", "test.written"), step("right", "test.written")
        )
    )
    cancel_run(run)
    again = replay_run(fresh(run), actor=make_actor(is_staff=True), correlation_id="c", from_step="left")
    work()
    assert outputs(again) == {"start": {}, "left": f"{again.pk}:left", "right": f"{again.pk}:right"}


def test_only_what_has_ended_can_be_replayed_and_only_from_a_step_there_is(write: Any) -> None:
    async def script(ctx: StepContext) -> Any:
        return None

    write(script)
    run, actor = begin(make_workflow(step("one", "test.written"))), make_actor(is_staff=True)
    with pytest.raises(Conflict):
        replay_run(run, actor=actor, correlation_id="c")
    work()
    for name in ("two", "", "\x00", "each.1.one"):
        with pytest.raises(InvalidInput):
            replay_run(fresh(run), actor=actor, correlation_id="c", from_step=name)
    run.workflow.delete()
    with pytest.raises(Conflict):
        replay_run(fresh(run), actor=actor, correlation_id="c")


def test_a_run_whose_workflow_is_deleted_ends_with_its_next_step(write: Any) -> None:
    async def script(ctx: StepContext) -> Any:
        return None

    write(script)
    run = begin(make_workflow(step("one", "test.written", then="two"), step("two")))
    run.workflow.delete()
    work()
    assert fresh(run).status == "cancelled"
    assert set(StepRun.objects.filter(run=run).values_list("status", flat=True)) == {"cancelled"}
