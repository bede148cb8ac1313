"""A run goes its way: each step once, in its turn, with what those before it gave."""

from itertools import pairwise
from typing import Any

import pytest

from automate.models import StepRun
from automate.services import plans
from automate.services.advance import LOT
from automate.services.runs import cancel_run
from automate.steps import StepContext
from automate_api.events import depth
from automate_api.exceptions import Conflict, StepFailed, UpstreamFailed
from automate_api.models import Event, Execution, Job
from automate_api.services.attempts import work_on
from automate_api.services.jobs import cancel_job
from tests.automate.making import (
    WrittenStep,
    begin,
    fresh,
    make_workflow,
    outputs,
    pass_time,
    states,
    step,
    work,
)
from tests.jobs.making import chat_endpoint
from tests.upstream import FakeUpstream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]


async def give_key(ctx: StepContext) -> Any:
    return {"key": ctx.key, "settings": ctx.settings, "attempt": ctx.attempt, "depth": depth.get()}


# -- order -----------------------------------------------------------------------------------------------------------


def test_steps_that_need_no_worker_end_at_once() -> None:
    run = begin(
        make_workflow(
            step("first", a={"cel": "event.payload.n + 1"}, then="second"),
            step("second", b={"path": "$.steps.first.output.a"}),
            output={"cel": "steps.second.output.b * 2"},
        ),
        {"n": 20},
    )
    assert (run.status, run.output, run.error) == ("succeeded", 42, None)
    assert outputs(run) == {"first": {"a": 21}, "second": {"b": 21}}
    assert fresh(run).finished_at is not None
    assert not Job.objects.exists()


def test_a_step_that_works_is_a_job_of_the_owners(write: Any) -> None:
    write(give_key)
    workflow = make_workflow(
        step("one", "test.written", x={"cel": "event.payload.x"}), output={"path": "$.steps.one.output"}
    )
    run = begin(workflow, {"x": "y"})
    assert (run.status, states(run)) == ("running", {"one": "running"})
    assert work() == 1
    run = fresh(run)
    assert run.status == "succeeded"
    assert run.output == {"key": f"{run.pk}:one", "settings": {"x": "y"}, "attempt": 1, "depth": 1}
    execution = Execution.objects.get()
    assert (execution.task_type, execution.user_id, execution.correlation_id) == (
        "workflow.step",
        workflow.owner_id,
        "c-1",
    )
    assert (execution.status, execution.job.status) == ("succeeded", "succeeded")


def test_branches_run_beside_each_other_and_meet_again(write: Any) -> None:
    write(give_key)
    run = begin(
        make_workflow(
            step("start", then=["left", "right"]),
            step("left", "test.written", then="end"),
            step("right", "test.written", then="end"),
            step("end", both={"cel": "[steps.left.output.key, steps.right.output.key]"}),
        )
    )
    assert states(run) == {"start": "succeeded", "left": "running", "right": "running"}
    first, second = Job.objects.order_by("pk").values_list("pk", flat=True)
    assert work_on(second)
    assert "end" not in states(run)
    assert work_on(first)
    assert outputs(run)["end"] == {"both": [f"{run.pk}:left", f"{run.pk}:right"]}
    assert fresh(run).status == "succeeded"


@pytest.mark.parametrize(("n", "went"), [(1, "low"), (50, "middle"), (500, None)])
def test_a_branch_takes_the_first_case_that_is_true(n: int, went: str | None) -> None:
    cases = [{"when": "event.payload.n < 10", "next": "low"}, {"when": "event.payload.n < 100", "next": "middle"}]
    run = begin(
        make_workflow(
            step("which", "branch", cases=cases),
            step("low", then="end"),
            step("middle", then="end"),
            step("end", at={"cel": "steps.low.status + steps.middle.status"}),
        ),
        {"n": n},
    )
    assert run.status == "succeeded"
    expected = {name: "succeeded" if name == went else "skipped" for name in ("low", "middle")}
    end = "succeeded" if went else "skipped"
    assert states(run) == {"which": "succeeded", **expected, "end": end}


# -- errors ----------------------------------------------------------------------------------------------------------


def test_a_failure_without_a_way_ends_the_run_and_all_that_goes_on_beside(write: Any) -> None:
    async def script(ctx: StepContext) -> Any:
        if ctx.settings:
            raise StepFailed("The parcel is lost.")

    write(script)
    run = begin(
        make_workflow(
            step("start", then=["bad", "good"]),
            step("bad", "test.written", fails=True, then="after"),
            step("good", "test.written"),
            step("after"),
        )
    )
    bad, good = Job.objects.order_by("pk")
    assert work_on(bad.pk)
    run = fresh(run)
    assert (run.status, run.error) == (
        "failed",
        {"step": "bad", "code": "step_failed", "detail": "The parcel is lost."},
    )
    assert states(run) == {"start": "succeeded", "bad": "failed", "good": "cancelled"}
    good.refresh_from_db()
    assert good.status == "cancelled"
    assert work() == 0


def test_a_failure_with_a_way_goes_on_there(write: Any) -> None:
    async def script(ctx: StepContext) -> Any:
        raise StepFailed("No.")

    write(script)
    run = begin(
        make_workflow(
            step("bad", "test.written", then="fine", on_error="sorry"),
            step("fine"),
            step("sorry", why={"path": "$.steps.bad.error.detail"}, was={"path": "$.steps.bad.status"}),
            output={"path": "$.steps.sorry.output"},
        )
    )
    work()
    run = fresh(run)
    assert (run.status, run.output) == ("succeeded", {"why": "No.", "was": "failed"})
    assert states(run) == {"bad": "failed", "fine": "skipped", "sorry": "succeeded"}


def test_an_expression_without_a_value_fails_its_step() -> None:
    run = begin(make_workflow(step("bad", x={"cel": "event.payload.nothing"})))
    assert run.status == "failed"
    assert run.error["step"] == "bad"
    assert run.error["code"] == "expression_failed"
    assert "values.x" in run.error["detail"]


def test_what_is_worth_another_try_is_tried_as_often_as_the_step_says(write: Any) -> None:
    tries = []

    async def script(ctx: StepContext) -> Any:
        tries.append(ctx.attempt)
        raise UpstreamFailed

    write(script)
    run = begin(make_workflow(step("bad", "test.written", retries=1)))
    assert work() == 1
    assert fresh(run).status == "running"
    pass_time(3600)
    assert work() == 1
    assert tries == [1, 2]
    assert (fresh(run).status, fresh(run).error["code"]) == ("failed", "upstream_failed")


def test_what_a_host_lets_out_fails_the_step_in_other_words(write: Any) -> None:
    async def script(ctx: StepContext) -> Any:
        raise RuntimeError("the password is hunter2")

    write(script)
    run = begin(make_workflow(step("bad", "test.written", retries=0)))
    work()
    assert fresh(run).status == "failed"
    assert "hunter2" not in str(fresh(run).error)


def test_what_a_host_lets_out_when_a_steps_turn_has_come_fails_it_too(
    write: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(give_key)

    def begin_badly(self: object, turn: object) -> Any:
        raise RuntimeError("oh")

    monkeypatch.setattr(WrittenStep, "begin", begin_badly)
    run = begin(make_workflow(step("bad", "test.written", on_error="sorry"), step("sorry")))
    assert run.status == "succeeded"
    assert states(run) == {"bad": "failed", "sorry": "succeeded"}
    assert "RuntimeError" in caplog.text


def test_an_error_is_stored_whatever_it_quotes(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any) -> Any:
        raise StepFailed("a\x00b\ud800c: Bearer abcdefghijklmnopqrstuvwx")

    write(give_key)
    monkeypatch.setattr(WrittenStep, "begin", refuse)
    run = fresh(begin(make_workflow(step("one", "test.written"))))
    assert run.error == {"step": "one", "code": "step_failed", "detail": "a\ufffdb\ufffdc: [redacted]"}
    run = begin(make_workflow(step("one", x={"cel": "{'a': 1}[event.payload.k + '\\u0000']"})), {"k": "b"})
    assert (fresh(run).status, fresh(run).error["detail"]) == ("failed", "values.x: There is no key “b\ufffd”.")


def test_a_version_that_cannot_be_followed_any_more_fails_its_run_once_and_for_all() -> None:
    workflow = make_workflow(step("wait", "wait", seconds=60, then="set"), step("set", x=1))
    run = begin(workflow)
    workflow.versions.update(definition={"steps": [{"name": "wait"}]})
    plans._plan.cache_clear()
    pass_time(61)
    work()
    assert (fresh(run).status, fresh(run).error["code"]) == ("failed", "not_configured")
    assert states(run) == {"wait": "cancelled"}
    assert not Job.objects.to_continue().exists()


def test_a_rule_without_a_value_fails_its_branch() -> None:
    run = begin(make_workflow(step("which", "branch", cases=[{"when": "event.payload.n > 1", "next": "a"}]), step("a")))
    assert (run.status, run.error["code"]) == ("failed", "expression_failed")


def test_an_output_that_is_too_large_fails_the_step(write: Any, settings: Any) -> None:
    settings.AUTOMATE_STEP_OUTPUT_MAX_BYTES = 100

    async def script(ctx: StepContext) -> Any:
        return "x" * 101

    write(script)
    run = begin(make_workflow(step("big", "test.written")))
    work()
    assert fresh(run).error["code"] == "output_too_large"


def test_without_an_owner_nothing_is_done(write: Any) -> None:
    write(give_key)
    workflow = make_workflow(step("one", "test.written"))
    workflow.owner.is_staff = False
    workflow.owner.save()
    run = begin(workflow)
    assert (run.status, run.error["code"]) == ("failed", "permission_denied")
    assert not Job.objects.exists()


# -- endpoints -------------------------------------------------------------------------------------------------------


def test_an_endpoint_is_run_as_an_execution_like_any_other(upstream: FakeUpstream) -> None:
    endpoint = chat_endpoint(upstream, slug="ask")
    workflow = make_workflow(
        step("ask", "endpoint", endpoint="ask", input={"cel": "event.payload.text"}),
        output={"path": "$.steps.ask.output.text"},
    )
    run = begin(workflow, {"text": "Hello"})
    work()
    execution = Execution.objects.get()
    assert (execution.endpoint_id, execution.task_type, execution.user_id) == (
        endpoint.pk,
        "llm.chat",
        workflow.owner_id,
    )
    assert (fresh(run).status, fresh(run).output) == ("succeeded", execution.output["text"])


def test_another_tenants_endpoint_is_none(upstream: FakeUpstream) -> None:
    chat_endpoint(upstream, slug="ask", tenant_id="other")
    run = begin(make_workflow(step("ask", "endpoint", endpoint="ask", input="x")))
    assert (run.status, run.error["code"]) == ("failed", "not_found")


# -- for each --------------------------------------------------------------------------------------------------------


def each(**more: Any) -> dict[str, Any]:
    body = [step("double", n={"cel": "item * 2 + index"})]
    return step(
        "each",
        "for_each",
        items={"path": "$.event.payload.items"},
        steps=body,
        output={"path": "$.steps.double.output.n"},
        **more,
    )


@pytest.mark.parametrize("count", [0, 1, 7, LOT + 3, 3 * LOT])
def test_steps_run_for_each_item_and_their_outputs_keep_the_order(count: int) -> None:
    run = begin(make_workflow(each(), output={"path": "$.steps.each.output"}), {"items": list(range(count))})
    work()
    assert fresh(run).status == "succeeded"
    assert fresh(run).output == [3 * number for number in range(count)]


def test_no_more_items_are_at_work_than_may_be(write: Any) -> None:
    write(give_key)
    body = [step("one", "test.written", n={"cel": "item"})]
    run = begin(
        make_workflow(
            step(
                "each",
                "for_each",
                items={"value": [1, 2, 3, 4, 5]},
                steps=body,
                parallel=2,
                output={"path": "$.steps.one.output.key"},
            ),
            output={"path": "$.steps.each.output"},
        )
    )
    at_most = 0
    while due := list(Job.objects.due().order_by("pk").values_list("pk", flat=True)):
        at_most = max(at_most, len(due))
        work_on(due[0])
    assert at_most == 2
    assert fresh(run).output == [f"{run.pk}:each.{index}.one" for index in range(5)]


def test_more_items_than_the_limit_are_an_error() -> None:
    run = begin(make_workflow(each(limit=2)), {"items": [1, 2, 3]})
    assert run.error["code"] == "invalid_input"
    assert "items: " in run.error["detail"]


def test_an_item_that_fails_fails_the_loop_which_may_have_a_way(write: Any) -> None:
    async def script(ctx: StepContext) -> Any:
        if ctx.settings["n"] == 1:
            raise StepFailed("Not this one.")

    write(script)
    body = [step("one", "test.written", n={"cel": "item"})]
    run = begin(
        make_workflow(
            step("each", "for_each", items={"value": [0, 1, 2]}, steps=body, on_error="sorry"),
            step("sorry", why={"path": "$.steps.each.error"}),
            output={"path": "$.steps.sorry.output.why"},
        )
    )
    work()
    assert fresh(run).output == {"step": "each.1.one", "code": "step_failed", "detail": "Not this one."}
    assert set(states(run).values()) <= {"succeeded", "failed", "cancelled"}
    assert not Job.objects.unfinished().exists()


def test_nothing_more_begins_in_a_loop_that_has_failed(write: Any) -> None:
    done: list[str] = []

    async def script(ctx: StepContext) -> Any:
        done.append(ctx.key)

    write(script)
    # Of every item one way fails in the very transaction in which the other goes on.
    body = [step("bad", x={"cel": "1 / 0"}), step("good", then="effect"), step("effect", "test.written")]
    run = begin(
        make_workflow(
            step("each", "for_each", items=[1, 2, 3], steps=body, on_error="sorry"), step("sorry", "test.written")
        )
    )
    work()
    assert done == [f"{run.pk}:sorry"]
    assert fresh(run).status == "succeeded"


@pytest.mark.parametrize("length", [5, 6])
def test_what_is_beside_a_loop_that_fails_goes_on(length: int) -> None:
    names = [*(f"beside{number}" for number in range(length)), "end"]
    beside = [step(name, then=after) for name, after in pairwise(names)]
    body = [step("bad", x={"cel": "1 / 0"})]
    each = step("each", "for_each", items=[1, 2, 3], steps=body, on_error="end")
    run = begin(make_workflow(step("start", then=[names[0], "each"]), *beside, each, step("end")))
    assert (run.status, states(run)["end"]) == ("succeeded", "succeeded")


def test_a_loop_whose_job_somebody_cancels_ends_with_its_items(write: Any) -> None:
    async def script(ctx: StepContext) -> Any:
        raise AssertionError("nothing is to be done")

    write(script)
    # More loops than one transaction takes up: the second waits for its turn while it has items at work.
    loops = [
        step(name, "for_each", items=[0] * (LOT - 1), parallel=LOT, steps=[step("one", "test.written")], on_error="end")
        for name in ("first", "second")
    ]
    run = begin(make_workflow(*loops, step("beside", "wait", seconds=60, then="end"), step("end")))
    cancel_job(Job.objects.get(execution=StepRun.objects.get(run=run, name="second").execution))
    assert set(StepRun.objects.filter(run=run, scope__startswith="second").values_list("status")) == {("cancelled",)}
    assert states(run)["second"] == "failed"
    assert fresh(run).status == "running"


def test_loops_within_loops_see_what_is_around_them() -> None:
    inner = step(
        "inner",
        "for_each",
        items={"path": "$.item"},
        output={"path": "$.steps.sum.output.n"},
        steps=[step("sum", n={"cel": "item + steps.base.output.n"})],
    )
    outer = step(
        "outer", "for_each", items={"value": [[1, 2], [3]]}, steps=[inner], output={"path": "$.steps.inner.output"}
    )
    run = begin(make_workflow(step("base", n=100, then="outer"), outer, output={"path": "$.steps.outer.output"}))
    assert fresh(run).output == [[101, 102], [103]]


# -- the end ---------------------------------------------------------------------------------------------------------


def test_a_cancelled_run_stops_and_begins_nothing_more(write: Any) -> None:
    write(give_key)
    run = begin(make_workflow(step("one", "test.written", then="two"), step("two")))
    assert cancel_run(run).status == "cancelled"
    assert states(run) == {"one": "cancelled"}
    assert Job.objects.get().status == "cancelled"
    with pytest.raises(Conflict):
        cancel_run(run)


def test_a_steps_job_that_somebody_cancels_fails_the_step(write: Any) -> None:
    write(give_key)
    run = begin(make_workflow(step("one", "test.written")))
    cancel_job(Job.objects.get())
    assert (fresh(run).status, fresh(run).error["code"]) == ("failed", "cancelled")


def test_an_event_is_emitted_once_with_its_depth() -> None:
    run = begin(
        make_workflow(step("tell", "emit", event="order.told", payload={"n": {"cel": "event.payload.n"}})), {"n": 1}
    )
    work()
    event = Event.objects.get(type="order.told")
    assert (event.payload, event.source, event.depth, event.correlation_id) == ({"n": 1}, "automate:workflow", 1, "c-1")
    assert outputs(run) == {"tell": {"id": str(event.pk)}}


def test_a_run_that_too_many_led_to_is_stored_as_failed() -> None:
    run = begin(make_workflow(step("one")), depth=6)
    assert (run.status, run.error["code"], states(run)) == ("failed", "workflow_too_deep", {})
    assert begin(make_workflow(step("one")), depth=5).status == "succeeded"
