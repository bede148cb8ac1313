"""How often the database is asked from an event to the end of the runs it starts: exact, so that no more creeps in."""

from typing import Any

import pytest

from automate.models import Workflow, WorkflowRun
from automate.services.triggers import create_trigger
from automate_api.models import Actor, Job
from automate_api.services.attempts import work_on
from automate_api.services.events import ingest
from tests.automate.counting import counting
from tests.automate.making import begin, fresh, make_workflow, step, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]

#: Of the event, of the job that starts the run, of that of a step that works, and of one before another that works.
INGEST, START, STEP, STEP_BEFORE_STEP = 5, 25, 22, 24


@pytest.mark.parametrize(
    ("steps", "costs"),
    [
        ([step("only", v={"path": "$.event.payload.n"})], [INGEST, START]),
        ([step("only", "emit", event="told")], [INGEST, START + 2, STEP]),
        ([step("first", "emit", event="told", then="last"), step("last")], [INGEST, START + 2, STEP_BEFORE_STEP]),
    ],
    ids=["one-pure", "one-working", "working-and-pure"],
)
def test_from_an_event_to_the_end_of_its_run(steps: list[dict[str, Any]], costs: list[int]) -> None:
    workflow = make_workflow(*steps)
    actor = Actor(user=workflow.owner, tenant_id="default")
    create_trigger(actor=actor, workflow=workflow, name="sent", kind="event", pattern="sent")
    # What is asked once in a process, or in a second, is asked here.
    cost_of_event(actor)
    assert cost_of_event(actor) == costs
    assert set(WorkflowRun.objects.values_list("status", flat=True)) == {"succeeded"}


def cost_of_event(actor: Actor) -> list[int]:
    """The statements of taking it in, and of each job that follows."""
    with counting() as said:
        ingest([{"type": "sent", "source": "test", "payload": {"n": 1}}], actor=actor, correlation_id="c")
    costs = [len(said)]
    while (due := Job.objects.due().order_by("pk").values_list("pk", flat=True).first()) is not None:
        with counting() as said:
            work_on(due)
        costs.append(len(said))
    return costs


def test_what_a_loop_costs_depends_little_on_its_items() -> None:
    workflow = looping()
    begin(workflow, {"items": [0]})
    costs = [cost_of_loop(workflow, count) for count in (1, 10, 1000)]
    assert costs[0] == costs[1]
    # Fifty items a transaction: a job for each, and what they and their steps are stored with.
    assert costs[2] < 1000


def looping() -> Workflow:
    """A step that does two pure ones for each item."""
    return make_workflow(
        step("each", "for_each", items={"path": "$.event.payload.items"}, steps=[step("one"), step("two")])
    )


def cost_of_loop(workflow: Workflow, count: int) -> int:
    """The statements of a run over so many items."""
    with counting() as said:
        run = begin(workflow, {"items": list(range(count))})
        work()
    assert fresh(run).status == "succeeded"
    return len(said)
