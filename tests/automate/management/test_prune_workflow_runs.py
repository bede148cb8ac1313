"""`manage.py prune_workflow_runs` deletes runs that ended long ago, and never what goes on or is waited for."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from automate.models import StepRun, WorkflowRun
from automate.services.retention import count_runs, prune_runs
from automate.services.runs import cancel_run, replay_run
from automate_api.models import Execution
from tests.automate.making import begin, make_workflow, step, work
from tests.factories import make_actor, make_prompt_log

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]

DAY = 86_400
NOTE = step("note", x=1)
EACH = step("each", "for_each", items={"value": [1, 2, 3]}, steps=[NOTE])
TELL = step("tell", "emit", event="order.told")


def prune() -> str:
    out = StringIO()
    call_command("prune_workflow_runs", stdout=out, stderr=StringIO())
    return out.getvalue()


def make_old(run: WorkflowRun, *, days: float = 8) -> WorkflowRun:
    """The run as it would be had it been made so many days ago, and had it ended then, if it has."""
    then = timezone.now() - timedelta(days=days)
    finished = then if run.status not in WorkflowRun.UNFINISHED else None
    WorkflowRun.objects.filter(pk=run.pk).update(created_at=then, finished_at=finished)
    return run


def ended(*steps: Any, days: float = 8, **columns: Any) -> WorkflowRun:
    run = begin(make_workflow(*(steps or (NOTE,)), **columns))
    work()
    run.refresh_from_db()
    return make_old(run, days=days)


def test_runs_of_all_tenants_that_ended_before_go_with_their_steps(settings: Settings) -> None:
    settings.AUTOMATE_WORKFLOW_RUN_RETENTION = 7 * DAY
    old = ended(TELL)
    kept = [ended(days=6.9), replay_run(old, actor=make_actor(is_staff=True), correlation_id="c-9")]
    ended(EACH)
    ended(tenant_id="globex")
    make_old(cancel_run(begin(make_workflow(step("ask", "approval")))))
    executions = Execution.objects.count()
    assert prune() == "workflow runs: 4 deleted\n"
    assert prune() == "workflow runs: 0 deleted\n"
    assert set(WorkflowRun.objects.all()) == set(kept)
    assert set(StepRun.objects.values_list("run", flat=True)) == {run.pk for run in kept}
    assert Execution.objects.count() == executions


def test_what_goes_on_or_waits_or_is_waited_for_stays_however_old_it_is(settings: Settings) -> None:
    settings.AUTOMATE_WORKFLOW_RUN_RETENTION = 0
    asking = make_prompt_log().execution
    Execution.objects.filter(pk=asking.pk).update(status="running")
    WorkflowRun.objects.filter(pk=ended().pk).update(execution=asking)
    for unfinished in (step("ask", "approval"), TELL):
        make_old(begin(make_workflow(unfinished)), days=390)
    assert prune() == "workflow runs: 0 deleted\n"
    Execution.objects.filter(pk=asking.pk).update(status="succeeded")
    assert prune() == "workflow runs: 1 deleted\n"


def test_unless_the_setting_says_so_nothing_goes() -> None:
    ended(days=4000)
    assert prune().startswith("workflow runs: 0 deleted\nSet AUTOMATE_WORKFLOW_RUN_RETENTION")
    assert WorkflowRun.objects.count() == 1


def test_it_goes_in_batches_that_are_as_small_as_the_steps_are_many(settings: Settings) -> None:
    settings.AUTOMATE_WORKFLOW_RUN_RETENTION = 0
    for _ in range(3):
        ended(EACH)
    assert count_runs() == 3
    assert list(prune_runs(batch=20)) == [2, 1]
    assert not StepRun.objects.exists()
