"""`endpoint` runs what the workflow's owner may run, as an execution like any other."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from automate.models import StepRun, WorkflowRun
from automate_api.engine import capability
from automate_api.engine.capability import Capability, RunContext
from automate_api.engine.events import EventType, RunEvent
from automate_api.models import Artifact, Endpoint, Execution
from tests.automate.making import begin, fresh, make_workflow, outputs, pass_time, states, step, work
from tests.factories import make_endpoint, make_user
from tests.hosts.shop.people import with_key
from tests.jobs.making import chat_endpoint
from tests.upstream import TEXT, FakeUpstream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]


class CopyFile(Capability):
    """Makes a file of a file."""

    task_type = "test.copied"
    artifact_inputs = ("file",)
    input_schema = {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"]}

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        found = await ctx.read_artifact(ctx.input["file"], max_bytes=1000)
        copied = await ctx.save_artifact(found.content * 2, name="copy.txt", content_type="text/plain")
        yield copied
        yield RunEvent(EventType.FINAL, {"output": {"file": copied.data["id"]}, "usage": None, "cost": None})


def asks(endpoint: Endpoint | str, name: str = "ask", **more: Any) -> dict[str, Any]:
    slug = endpoint if isinstance(endpoint, str) else endpoint.slug
    given = more.pop("input", {"path": "$.event.payload"})
    settings = {"endpoint": slug, "input": given, **more.pop("with_", {})}
    return step(name, "endpoint", settings=settings, **{"retries": 0, **more})


def code(run: WorkflowRun) -> str:
    work()
    assert fresh(run).status == "failed"
    return str(fresh(run).error["code"])


def test_parameters_reach_the_model_and_the_answer_the_next_step(upstream: FakeUpstream) -> None:
    endpoint = chat_endpoint(upstream, slug="ask")
    run = begin(
        make_workflow(
            asks(endpoint, then="say", with_={"params": {"max_tokens": {"cel": "1 + 6"}}}),
            step("say", it={"path": "$.steps.ask.output.text"}),
        ),
        "Hello",
    )
    work()
    assert outputs(fresh(run))["say"] == {"it": TEXT}
    assert upstream.requests[0].json["max_tokens"] == 7
    execution = Execution.objects.get()
    assert StepRun.objects.get(name="ask").execution == execution
    assert (execution.endpoint, execution.job.status) == (endpoint, "succeeded")


def test_what_no_caller_may_ask_no_step_may() -> None:
    refused: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        ({"tenant_id": "other", "slug": "theirs"}, {}, "not_found"),
        ({"enabled": False}, {}, "conflict"),
        ({"input_schema": {"type": "string", "maxLength": 3}}, {}, "invalid_input"),
        ({}, {"params": {"api_key": "mine"}}, "invalid_input"),
        ({}, {"task_type": "llm.embed"}, "invalid_input"),
    ]
    for made, more, error in refused:
        endpoint = make_endpoint(**made)
        assert (made, code(begin(make_workflow(asks(endpoint, with_=more)), "long"))) == (made, error)
    assert code(begin(make_workflow(asks("nothing")), "long")) == "not_found"
    assert not Execution.objects.exists()


def test_a_server_that_fails_for_now_is_asked_again(upstream: FakeUpstream) -> None:
    run = begin(make_workflow(asks(chat_endpoint(upstream, "flaky:500:1"), retries=2)), "Hello")
    work()
    assert states(run) == {"ask": "running"}
    pass_time(60)
    work()
    assert outputs(fresh(run))["ask"]["text"] == TEXT
    assert Execution.objects.count() == 1


def test_over_an_endpoints_limit_a_step_tries_again_later(upstream: FakeUpstream) -> None:
    endpoint = chat_endpoint(upstream, rate_limit="1/hour")
    owner = make_user(is_staff=True)
    first = begin(make_workflow(asks(endpoint), owner=owner), "Hello")
    second = begin(make_workflow(asks(endpoint, retries=1), owner=owner), "Hello")
    third = begin(make_workflow(asks(endpoint), owner=owner), "Hello")
    work()
    assert [fresh(run).status for run in (first, second, third)] == ["succeeded", "running", "failed"]
    assert (states(second), fresh(third).error["code"]) == ({"ask": "retrying"}, "rate_limited")
    Endpoint.objects.update(rate_limit="")
    pass_time(3700)
    work()
    assert outputs(fresh(second))["ask"]["text"] == TEXT


def test_files_go_from_one_endpoint_to_the_next_and_are_no_other_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(capability._registry, CopyFile.task_type, CopyFile())
    owner = make_user(is_staff=True)
    make_endpoint(slug="copy", task_types=[CopyFile.task_type])
    file = {"file": {"path": "$.event.payload"}}
    workflow = make_workflow(
        asks("copy", "one", input=file, then="two"),
        asks("copy", "two", input={"file": {"path": "$.steps.one.output.file"}}),
        owner=owner,
    )
    mine, theirs = (
        with_key(user=owner, tenant_id=tenant)
        .post("/api/v1/artifacts/", {"file": SimpleUploadedFile("a.txt", b"mine")})
        .json()["id"]
        for tenant in ("default", "other")
    )
    run = begin(workflow, mine)
    work()
    assert Artifact.objects.get(pk=outputs(fresh(run))["two"]["file"]).size == 16
    assert code(begin(workflow, theirs)) == code(begin(workflow, mine[:-4] + "0000")) == "invalid_input"
