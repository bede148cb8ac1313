"""Steps wait for a time, for an event, or for somebody who decides, and nobody works meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from automate.models import StepRun, WorkflowRun, WorkflowVersion
from automate.services import plans
from automate.services.carriers import cancel_leftovers
from automate.services.runs import cancel_run
from automate.services.waits import awaited, decide_step, patterns_of, wake_for
from automate.steps import Wait
from automate_api.exceptions import Conflict, NotFound, PermissionDenied
from automate_api.models import Event, Execution, Job
from automate_api.services.attempts import work_on
from tests.automate.making import WrittenStep, begin, fresh, make_workflow, pass_time, states, step, work
from tests.automate.services.starts import send
from tests.factories import make_actor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]


def make_event(kind: str = "order.paid", *, tenant_id: str = "default", **payload: Any) -> Event:
    event: Event = Event.objects.create(
        tenant_id=tenant_id, type=kind, source="shop", payload=payload, occurred_at=timezone.now(), correlation_id="c-2"
    )
    return event


def waiting(*, after: bool = False, **settings: Any) -> WorkflowRun:
    """A run that waits, and then keeps what it was given."""
    wait = step("wait", "wait", settings=settings, then="got")
    return begin(
        make_workflow(wait, step("got", it={"path": "$.steps.wait.output"}), output={"path": "$.steps.got.output.it"})
    )


def woken(event: Event) -> int:
    """How many steps wait no longer since the event has come."""
    before = StepRun.objects.filter(status="waiting").count()
    assert wake_for(event) is None
    return before - StepRun.objects.filter(status="waiting").count()


# -- for a time ------------------------------------------------------------------------------------------------------


def test_a_wait_costs_no_worker_and_ends_when_its_time_has_come() -> None:
    run = waiting(seconds=3600)
    assert (run.status, states(run)) == ("waiting", {"wait": "waiting"})
    assert work() == 0
    pass_time(3601)
    assert work() == 1
    assert (fresh(run).status, fresh(run).output) == ("succeeded", None)


@pytest.mark.parametrize(
    ("until", "status"), [("2020-01-01T00:00:00Z", "succeeded"), ("soon", "failed"), ("2020-01-01T00:00:00", "failed")]
)
def test_a_time_that_has_passed_is_not_waited_for_and_none_is_an_error(until: str, status: str) -> None:
    assert waiting(until=until).status == status


def test_a_time_to_wait_for_may_be_computed() -> None:
    later = (timezone.now() + timedelta(hours=2)).isoformat()
    run = waiting(until={"value": later})
    (row,) = StepRun.objects.filter(run=run)
    assert row.wakes_at is not None
    assert row.wakes_at.isoformat() == later


# -- for an event ----------------------------------------------------------------------------------------------------


def test_an_event_ends_the_wait_and_is_what_it_gives() -> None:
    run = waiting(event={"type": "order.*", "where": "received.payload.n == 2"})
    assert run.status == "waiting"
    assert awaited("default", ["order.paid", "user.new"]) == {"order.paid"}
    assert [woken(make_event(n=1)), woken(make_event("user.new", n=2))] == [0, 0]
    assert woken(make_event(n=2)) == 1
    run = fresh(run)
    assert (run.status, run.output["payload"], run.output["type"]) == ("succeeded", {"n": 2}, "order.paid")
    # The time limit need not be waited for any more.
    assert Job.objects.get().status == "cancelled"
    assert woken(make_event(n=2)) == 0


def test_another_tenants_event_ends_nothing() -> None:
    run = waiting(event={"type": "*"})
    assert awaited("other", ["order.paid"]) == set()
    assert woken(make_event(tenant_id="other")) == 0
    assert fresh(run).status == "waiting"


def test_an_event_of_before_ends_nothing() -> None:
    event = make_event()
    run = waiting(event={"type": "*"})
    assert woken(event) == 0
    assert fresh(run).status == "waiting"


def test_a_rule_that_has_no_value_fails_the_step() -> None:
    run = waiting(event={"type": "*", "where": "received.payload.n > 1"})
    assert woken(make_event()) == 1
    assert (fresh(run).status, fresh(run).error["code"]) == ("failed", "expression_failed")


def test_who_waits_for_too_long_goes_on_without_the_event() -> None:
    run = waiting(event={"type": "order.paid"}, timeout=60)
    pass_time(61)
    work()
    assert (fresh(run).status, fresh(run).output) == ("succeeded", None)


def test_the_patterns_of_a_type_are_it_and_its_beginnings() -> None:
    assert patterns_of("a.b") == {"a.b", "*", "a*", "a.*", "a.b*"}
    assert len(patterns_of("x" * 200)) == 201


def test_what_waits_for_one_event_goes_on_in_lots_each_in_a_transaction_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("automate.services.waits.LOT", 2)
    runs = [waiting(event={"type": "order.*", "where": f"received.payload.n != {n}"}) for n in range(6)]
    send("order.paid", payload={"n": 4})
    [job] = Job.objects.due()
    assert work_on(job.pk)
    assert [fresh(run).status for run in runs] == ["succeeded"] * 2 + ["waiting"] * 4
    work()
    assert [fresh(run).status for run in runs] == ["succeeded"] * 4 + ["waiting", "succeeded"]
    execution = Execution.objects.get(task_type="workflow.wake")
    assert (execution.status, execution.job.done_steps.count()) == ("succeeded", 2)


def test_a_run_that_cannot_go_on_keeps_no_other_waiting() -> None:
    broken, run = waiting(event={"type": "order.paid"}), waiting(event={"type": "order.paid"})
    WorkflowVersion.objects.filter(runs=broken).update(definition={"steps": [{"name": "wait"}]})
    plans._plan.cache_clear()
    assert woken(make_event(n=1)) == 2
    assert (fresh(broken).status, fresh(broken).error["code"]) == ("failed", "not_configured")
    assert fresh(run).output["payload"] == {"n": 1}


# -- for somebody ----------------------------------------------------------------------------------------------------


def asking(**more: Any) -> WorkflowRun:
    return begin(
        make_workflow(
            step("ask", "approval", message="Pay?", then="pay", **more),
            step("pay", by={"path": "$.steps.ask.output.by"}),
            step("sorry", why={"path": "$.steps.ask.error.detail"}),
            output={"cel": "has(steps.pay.output.by) ? steps.pay.output.by : steps.sorry.output.why"},
        )
        if "on_error" in more
        else make_workflow(step("ask", "approval", then="pay"), step("pay"))
    )


def test_a_step_that_is_approved_goes_on() -> None:
    run, actor = asking(on_error="sorry"), make_actor(is_staff=True)
    assert run.status == "waiting"
    row = decide_step(run, "ask", actor=actor, approved=True, comment="Fine.")
    assert (row.status, row.user) == ("succeeded", actor.user)
    assert row.output == {"approved": True, "by": actor.user.get_username(), "comment": "Fine."}
    assert (fresh(run).status, fresh(run).output) == ("succeeded", actor.user.get_username())
    assert Job.objects.get().status == "cancelled"
    with pytest.raises(Conflict):
        decide_step(run, "ask", actor=actor, approved=False)


def test_what_whoever_decided_could_not_cancel_any_more_is_cancelled_later(monkeypatch: pytest.MonkeyPatch) -> None:
    run, other = asking(), asking()
    with monkeypatch.context() as died:
        died.setattr("automate.services.carriers._cancel", lambda executions: None)
        decide_step(run, "ask", actor=make_actor(is_staff=True), approved=True)
    assert set(Job.objects.values_list("status", flat=True)) == {"queued"}
    assert [cancel_leftovers(), cancel_leftovers()] == [1, 0]
    assert fresh(other).status == "waiting"
    assert sorted(Job.objects.values_list("status", flat=True)) == ["cancelled", "queued"]


def test_a_step_that_is_rejected_has_failed() -> None:
    run = asking(on_error="sorry")
    decide_step(run, "ask", actor=make_actor(is_staff=True), approved=False, comment="Too dear.")
    assert states(run) == {"ask": "failed", "pay": "skipped", "sorry": "succeeded"}
    assert StepRun.objects.get(run=run, name="ask").error == {"code": "step_rejected", "detail": "Too dear."}


def test_a_hosts_step_is_decided_where_its_type_says_so(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(_ctx: Any) -> None:
        """Nobody works."""

    write(script)
    monkeypatch.setattr(WrittenStep, "begin", lambda *_args: Wait())
    run, actor = begin(make_workflow(step("look", "test.written"))), make_actor(is_staff=True)
    with pytest.raises(NotFound):
        decide_step(run, "look", actor=actor, approved=True)
    monkeypatch.setattr(WrittenStep, "is_decided", True)
    assert decide_step(run, "look", actor=actor, approved=True, comment="Yes").output["comment"] == "Yes"
    assert fresh(run).status == "succeeded"


@pytest.mark.parametrize(
    ("given", "code"),
    [(float("nan"), "step_failed"), (object(), "step_failed"), (1 / 4, None), (None, "internal_error")],
)
def test_a_hosts_wait_ends_whatever_its_step_then_gives_or_raises(
    write: Any, monkeypatch: pytest.MonkeyPatch, given: Any, code: str | None
) -> None:
    async def script(_ctx: Any) -> None:
        """Nobody works."""

    def expire(*_args: Any) -> Any:
        if given is None:
            raise RuntimeError
        return given

    write(script)
    monkeypatch.setattr(WrittenStep, "begin", lambda *_args: Wait(until=timezone.now() + timedelta(seconds=60)))
    monkeypatch.setattr(WrittenStep, "expire", expire)
    run = begin(make_workflow(step("look", "test.written")))
    pass_time(61)
    work()
    assert (fresh(run).error or {}).get("code") == code
    assert not Job.objects.to_continue().exists()
    assert fresh(run).finished_at is not None


def test_what_nobody_decides_in_time_has_failed() -> None:
    run = asking()
    pass_time(401 * 24 * 3600)
    work()
    assert fresh(run).error["code"] == "run_timeout"


def test_only_staff_decides_and_only_what_is_there() -> None:
    run = asking()
    with pytest.raises(PermissionDenied):
        decide_step(run, "ask", actor=make_actor(), approved=True)
    for path in ("pay", "nothing", "each.1.ask", "", "ask.", "\x00", "\x00", "ask\ud800", "x" * 1000):
        with pytest.raises(NotFound):
            decide_step(run, path, actor=make_actor(is_staff=True), approved=True)
    cancel_run(run)
    with pytest.raises(Conflict):
        decide_step(run, "ask", actor=make_actor(is_staff=True), approved=True)
