"""What the check of definitions accepts runs to an end, whatever it is."""

from typing import Any, ClassVar
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from automate.graph.check import check_definition
from automate.models import StepRun, WorkflowRun
from automate.services import plans
from automate.services.waits import decide_step
from automate.steps import Step, StepContext, base, get_step_type
from automate_api.exceptions import StepFailed, UpstreamUnavailable
from automate_api.models import Actor
from tests.automate.graphs import PAYLOAD, definitions
from tests.automate.making import begin, fresh, make_workflow, pass_time, work
from tests.factories import make_user

ENDED = {"succeeded", "failed", "skipped", "cancelled"}


class UnreliableStep(Step):
    """Fails in the first attempts, or for good."""

    type = "test.unreliable"
    schema: ClassVar[dict[str, Any]] = {"type": "object", "required": ["fails"]}

    async def run(self, ctx: StepContext) -> Any:
        if ctx.settings["fails"] == "always":
            raise StepFailed
        if ctx.attempt <= ctx.settings["fails"]:
            raise UpstreamUnavailable
        return ctx.attempt


# `emit` writes by a connection of its own, which does not see what an example has not committed.
KINDS = ("set", "branch", "for_each", "wait", "approval")
UNRELIABLE = {"test.unreliable": st.fixed_dictionaries({"fails": st.sampled_from([0, 1, "always"])})}


def to_an_end(run: WorkflowRun, actor: Actor, decisions: list[bool]) -> WorkflowRun:
    """Work, let time pass and decide, until nothing is left to do."""
    for _round in range(200):
        work()
        pass_time(10**8)
        # One at a time: a rejection may be the end of the others.
        row = StepRun.objects.filter(run=run, type="approval", status="waiting").order_by("pk").first()
        if row is not None:
            decide_step(run, row.path, actor=actor, approved=decisions.pop() if decisions else True)
        elif not work():
            break
    return fresh(run)


class RandomDefinitionsTest(TestCase):
    @given(definitions(kinds=KINDS, extra=UNRELIABLE), st.lists(st.booleans(), max_size=3))
    @settings(max_examples=25, deadline=None)
    def test_what_is_accepted_runs_to_an_end(self, definition: dict[str, Any], decisions: list[bool]) -> None:
        # Each example is rolled back, and leaves its ids to the next.
        plans._plan.cache_clear()
        with mock.patch.dict(base._registry, {UnreliableStep.type: UnreliableStep()}):
            assert check_definition(definition, types=get_step_type) == []
            owner = make_user(is_staff=True)
            workflow = make_workflow(*definition["steps"], owner=owner, output=definition.get("output"))
            run = to_an_end(begin(workflow, PAYLOAD), Actor(owner, "default"), decisions)
        rows = {row.path: row for row in StepRun.objects.filter(run=run)}
        assert run.finished_at is not None
        assert run.status in {"succeeded", "failed"}
        assert {str(row.status) for row in rows.values() if row.type} <= ENDED
        failed = {row.type for row in rows.values() if row.status == "failed"}
        assert run.status == "succeeded" or failed & {UnreliableStep.type, "approval"}
