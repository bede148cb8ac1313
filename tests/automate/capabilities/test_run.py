"""`workflow.run`: an endpoint runs a workflow of its tenant, at once or as a job."""

from collections.abc import Callable
from typing import Any

import pytest

from automate.models import Workflow, WorkflowRun
from automate.steps import StepContext
from automate_api.models import Execution
from tests.automate.making import make_workflow, step, work
from tests.automate_api.services.together import together
from tests.factories import make_endpoint
from tests.hosts.shop.people import with_key
from tests.servers import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.fixture
def run() -> Callable[..., Any]:
    """Runs the endpoint that runs a workflow; the answer."""
    client = with_key()

    def post(workflow: Workflow | str, given: Any = None, *, params: Any = None, **headers: str) -> Any:
        slug = workflow if isinstance(workflow, str) else workflow.slug
        make_endpoint(slug=f"run-{slug}", task_types=["workflow.run"], config={"workflow": slug})
        body = {"input": {} if given is None else given, "params": params or {}}
        return client.post(f"/api/v1/endpoints/run-{slug}/run/", body, format="json", headers=headers)

    return post


def double(**more: Any) -> Workflow:
    return make_workflow(
        step("twice", n={"cel": "event.payload.n * 2"}),
        output={"path": "$.steps.twice.output.n"},
        input_schema=SCHEMA,
        condition="false",
        **more,
    )


def test_a_run_that_ends_at_once_is_the_answer(run: Any) -> None:
    answer = run(double(), {"n": 21}, **{"X-Correlation-ID": "c-42"}).json()
    begun = WorkflowRun.objects.get()
    assert answer["output"] == {"run": str(begun.pk), "status": "succeeded", "output": 42}
    assert (str(begun.execution_id), begun.correlation_id, begun.depth) == (answer["id"], "c-42", 1)
    assert begun.user_id == Execution.objects.get().user_id != begun.workflow.owner_id


def test_as_a_job_it_begins_once(run: Any) -> None:
    assert run(double(), {"n": 21}, Prefer="respond-async").status_code == 202
    assert not WorkflowRun.objects.exists()
    work()
    assert Execution.objects.get().output["output"] == WorkflowRun.objects.get().output == 42


def test_what_works_goes_on_after_the_answer_unless_it_is_waited_for(run: Any, write: Any) -> None:
    async def script(ctx: StepContext) -> Any:
        return "done"

    write(script)
    workflow = make_workflow(step("one", "test.written"), output={"path": "$.steps.one.output"})
    assert run(workflow).json()["output"]["status"] == "running"
    work()

    make_endpoint(slug="waits", task_types=["workflow.run"], config={"workflow": workflow.slug})
    client, body = with_key(), {"input": {}, "params": {"wait": 60}}
    waited, _worked = together(
        lambda: client.post("/api/v1/endpoints/waits/run/", body, format="json").json()["output"],
        lambda: until(work, seconds=60),
    )
    assert (waited["status"], waited["output"]) == ("succeeded", "done")


def test_a_run_that_fails_fails_its_endpoint(run: Any) -> None:
    answer = run(make_workflow(step("one", n={"cel": "event.payload.nothing"}))).json()
    assert (answer["status"], answer["code"]) == (502, "workflow_failed")
    assert Execution.objects.get().error["code"] == "workflow_failed"


def test_an_input_that_does_not_fit_the_definition_is_refused(run: Any) -> None:
    for given in ({}, {"n": "1"}, [], "x"):
        answer = run(double(), given)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
        assert answer.json()["errors"][0]["field"].startswith("input")
    assert not WorkflowRun.objects.exists()


def test_another_tenants_workflow_is_none(run: Any) -> None:
    theirs, gone = run(double(slug="theirs", tenant_id="other"), {"n": 1}), run("nothing", {"n": 1})
    assert theirs.status_code == gone.status_code == 404
    assert {**theirs.json(), "correlation_id": "", "execution": ""} == {
        **gone.json(),
        "correlation_id": "",
        "execution": "",
    }
    assert not WorkflowRun.objects.exists()


def test_a_workflow_that_is_switched_off_begins_nothing(run: Any) -> None:
    assert run(double(enabled=False), {"n": 1}).status_code == 409
    assert not WorkflowRun.objects.exists()
