"""What the check of definitions accepts runs to an end, whatever happens in whatever order.

`AUTOMATE_TEST_GRAPHS` is the number of random graphs (25).
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automate.graph.check import check_definition
from automate.models import StepRun, WorkflowRun
from automate.services.plans import Plan, plan_of
from automate.services.step_rows import ENDED
from automate.services.waits import decide_step
from automate.steps import Done, Step, StepContext, Turn, base, get_step_type
from automate_api.exceptions import StepFailed, UpstreamUnavailable
from automate_api.models import Actor, Job
from automate_api.services.attempts import work_on
from automate_api.services.events import ingest
from tests.automate.graphs import PAYLOAD, definitions
from tests.automate.making import begin, fresh, make_workflow, pass_time
from tests.factories import make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]

GRAPHS = int(os.environ.get("AUTOMATE_TEST_GRAPHS") or 25)
#: A step that works and one that needs no worker, and what becomes of them.
STEPS = {
    "test.written": st.fixed_dictionaries({"ends": st.sampled_from(["well", "badly", "later", "never"])}),
    "test.pure": st.fixed_dictionaries({"ends": st.sampled_from(["well", "well", "badly"])}),
}

done: Counter[str] = Counter()


class PureStep(Step):
    """Ends when its turn has come: well, or badly."""

    type = "test.pure"
    schema: ClassVar[dict[str, Any]] = {"type": "object"}

    def begin(self, turn: Turn) -> Done:
        if turn.settings["ends"] == "badly":
            raise StepFailed
        return Done(turn.key)


async def work(ctx: StepContext) -> str:
    """Succeed, fail, succeed at the second attempt, or fail as often as one may."""
    ends = ctx.settings["ends"]
    if ends == "badly":
        raise StepFailed
    if ends == "never" or (ends == "later" and ctx.attempt == 1):
        raise UpstreamUnavailable
    done[ctx.key] += 1
    return ctx.key


@given(definition=definitions(extra=STEPS), seed=st.integers(0, 2**32))
@settings(
    max_examples=GRAPHS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_is_accepted_runs_to_an_end(
    write: Any, monkeypatch: pytest.MonkeyPatch, definition: dict[str, Any], seed: int
) -> None:
    write(work)
    monkeypatch.setitem(base._registry, PureStep.type, PureStep())
    done.clear()
    assert check_definition(definition, types=get_step_type) == []
    owner = make_user(username=f"owner-{WorkflowRun.objects.count()}", is_staff=True)
    run = begin(make_workflow(*definition["steps"], output=definition.get("output"), owner=owner), PAYLOAD)
    go_on(run, Actor(user=owner, tenant_id="default"), random.Random(seed))
    assert_ended_well(fresh(run))
    assert set(done.values()) <= {1}


def go_on(run: WorkflowRun, actor: Actor, chance: random.Random) -> None:
    """Let what can happen happen in any order, until nothing can any more."""
    for _step in range(1000):
        asked = list(StepRun.objects.filter(run=run, type="approval", status=StepRun.Status.WAITING))
        due = list(Job.objects.due().values_list("pk", flat=True))
        waiting = Job.objects.unfinished().exists()
        if not (asked or waiting):
            return
        if chance.random() < 0.1:
            ingest([{"type": "awaited", "source": "test"}], actor=actor, correlation_id="c")
        elif asked and chance.random() < 0.5:
            decide_step(run, chance.choice(asked).path, actor=actor, approved=chance.random() < 0.7)
        elif due:
            assert work_on(chance.choice(due))
        else:
            pass_time(3600 * 24 * 401)
    raise AssertionError("There is always something to do.")


def assert_ended_well(run: WorkflowRun) -> None:
    """The run has ended, and each step as those before it say."""
    rows = {row.path: row for row in StepRun.objects.filter(run=run)}
    states = {path: row.status for path, row in rows.items()}
    assert run.status in ("succeeded", "failed"), states
    assert set(states.values()) <= set(ENDED), states
    assert not Job.objects.unfinished().exists()
    assert not Job.objects.filter(continues_at__isnull=False).exists()
    if run.status == "failed":
        assert states.get(run.error["step"]) == "failed" or run.error["step"] == "", (run.error, states)
    plan = plan_of(run)[0]
    assert list(faults_of_scope("", plan, rows, is_whole=run.status == "succeeded")) == []


def faults_of_scope(scope: str, plan: Plan, rows: dict[str, StepRun], *, is_whole: bool) -> Iterator[str]:
    """What is wrong with the rows of a scope, and of those within; `is_whole`: it has ended well."""
    for name, node in plan.nodes.items():
        path = f"{scope}.{name}" if scope else name
        row = rows.get(path)
        if row is None:
            if is_whole:
                yield f"{path} has no row"
            continue
        before = [rows.get(f"{scope}.{other}" if scope else other) for other in plan.before[name]]
        yield from (f"{path} {fault}" for fault in faults_of(row, before))
        handled = row.status == "succeeded" or (row.status == "failed" and node.on_error)
        if is_whole and not handled and row.status != "skipped":
            yield f"{path} is {row.status}"
        for item in [item for item in rows.values() if item.scope == path]:
            within = plan.within(item.path.removeprefix(f"{scope}." if scope else ""))
            yield from faults_of_scope(item.path, within, rows, is_whole=item.status == "succeeded")


def faults_of(row: StepRun, before: list[StepRun | None]) -> Iterator[str]:
    """What is wrong with a row after those before it."""
    if any(source is None or source.status not in ENDED for source in before):
        yield "has begun before those before it have ended"
        return
    sources = [source for source in before if source is not None]
    if any(source.finished_at is None or source.finished_at > row.created_at for source in sources):
        yield "has begun before those before it have ended"
    is_wanted = not sources or any(row.name in source.taken for source in sources)
    if is_wanted == (row.status == "skipped"):
        yield f"is {row.status}, and those before it lead to {[source.taken for source in sources]}"
