"""Running endpoints with files: in the place of artifacts' ids, refused or kept as a whole."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings
from rest_framework.test import APIClient

from automate_api.engine import capability
from automate_api.engine.capability import Capability, RunContext
from automate_api.engine.events import EventType, RunEvent
from automate_api.models import Artifact, Execution, Job
from automate_api.services.attempts import work_on
from tests.factories import make_actor, make_endpoint, make_user
from tests.hosts.shop.people import with_key
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)

MODAL = "/api/v1/modal"
ID = {"type": "string", "format": "uuid"}


class Join(Capability):
    """Joins the files it is given into one."""

    task_type = "files.join"
    artifact_inputs = ("first", "others")
    input_schema = {
        "type": "object",
        "properties": {
            "first": ID,
            "others": {"type": "array", "items": ID, "maxItems": 3},
            "between": {"type": "string", "maxLength": 5},
        },
        "required": ["first"],
        "additionalProperties": False,
    }
    params_schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "additionalProperties": False,
    }

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        ids = [ctx.input["first"], *ctx.input.get("others", [])]
        contents = [(await ctx.read_artifact(key, max_bytes=1000)).content for key in ids]
        joined = ctx.input.get("between", "").encode().join(contents)
        name = ctx.params.get("name", "joined.txt")
        saved = await ctx.save_artifact(joined, name=name, content_type="text/plain")
        yield saved
        yield RunEvent(EventType.FINAL, {"output": {"artifact": saved.data["id"], "size": len(joined)}})


@pytest.fixture(autouse=True)
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(capability._registry, Join.task_type, Join())
    return make_endpoint(slug="join", task_types=[Join.task_type])


@pytest.fixture
def user() -> Any:
    return make_user()


@pytest.fixture
def client(user: Any) -> APIClient:
    return with_key(user=user)


def file(content: bytes = b"one", name: str = "one.txt", content_type: str = "text/plain") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type)


def post(client: APIClient, how: str = "run", **parts: Any) -> Any:
    return client.post(f"{MODAL}/endpoints/join/{how}/", parts, format="multipart")


def stored() -> int:
    root = Path(default_storage.path(""))
    return sum(path.is_file() for path in root.rglob("*"))


def test_a_file_takes_the_place_of_an_id(client: APIClient, user: Any) -> None:
    answer = post(client, first=file(), input='{"between": "-"}', others=[file(b"two"), file(b"three")])
    assert answer.status_code == 200, answer.content
    body = answer.json()
    [made] = body["artifacts"]
    assert (body["task_type"], body["outputs"]) == ("files.join", {"artifact": made["id"], "size": 13})
    execution = Execution.objects.get(pk=body["execution"])
    assert made["execution"] == str(execution.pk)
    downloaded = client.get(f"{MODAL}/artifacts/{made['id']}/download/")
    assert b"".join(downloaded.streaming_content) == b"one-two-three"  # type: ignore[attr-defined]
    sent = Artifact.objects.exclude(pk=made["id"]).order_by("pk")
    assert [artifact.user for artifact in sent] == [user] * 3
    first, *others = [str(artifact.pk) for artifact in sent]
    assert execution.input == {"first": first, "others": others, "between": "-"}


def test_one_file_is_a_list_where_a_list_is_wanted(client: APIClient) -> None:
    answer = post(client, first=file(), others=file(b"two"), params='{"name": "both.txt"}', task_type="files.join")
    assert answer.status_code == 200, answer.content
    assert answer.json()["artifacts"][0]["name"] == "both.txt"


def test_the_id_of_an_artifact_does_as_well(client: APIClient) -> None:
    first = client.post("/api/v1/artifacts/", {"file": file()}, format="multipart").json()["id"]
    answer = client.post(f"{MODAL}/endpoints/join/run/", {"input": {"first": first}}, format="json")
    assert answer.json()["outputs"]["size"] == 3


def test_a_stream_takes_files_too(client: APIClient) -> None:
    answer = post(client, "stream", first=file())
    frames = b"".join(answer.streaming_content).decode()
    kinds = [line.removeprefix("event: ") for line in frames.splitlines() if line.startswith("event:")]
    assert kinds == ["started", "artifact", "final"]


@pytest.mark.usefixtures("asked")
def test_a_job_takes_files_too(client: APIClient) -> None:
    answer = post(client, "job", first=file())
    assert answer.status_code == 202, answer.content
    assert work_on(answer.json()["job_id"])
    job = Job.objects.get(pk=answer.json()["job_id"])
    assert job.status == "succeeded"
    assert Artifact.objects.filter(job=job).count() == 1


@pytest.mark.parametrize(
    ("parts", "field", "code"),
    [
        ({"between": file()}, "input.between", "unexpected_file"),
        ({"nothing": file()}, "input.nothing", "unexpected_file"),
        ({"first": file(), "input": '{"first": "x"}'}, "input.first", "ambiguous"),
        ({"first": file(), "input": '"x"'}, "input", "invalid"),
        ({"first": file(), "input": "{"}, "input", "parse_error"),
        ({"first": file(), "input": '{"a": "\\u0000"}'}, "input", "parse_error"),
        ({"first": file(), "params": "[]"}, "params", "not_an_object"),
        ({"first": file(), "task_type": "llm.chat"}, "task_type", "invalid_choice"),
        ({"first": file(), "input": ["{}", "{}"]}, "input", "invalid"),
        ({"first": [file(), file()]}, "input.first", "type"),
        ({"first": [file(), "text"]}, "first", "invalid"),
        ({"first": ["text", file()]}, "first", "invalid"),
        ({"first": file(), "others": [file()] * 4}, "input.others", "maxItems"),
        ({"first": file(), "input": '{"between": "too long"}'}, "input.between", "maxLength"),
        ({"others": file()}, "input.first", "required"),
    ],
)
def test_what_does_not_fit_leaves_nothing(client: APIClient, parts: Any, field: str, code: str) -> None:
    answer = post(client, **parts)
    assert answer.status_code == 400, answer.content
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)
    assert not Artifact.objects.exists()
    assert not stored()
    assert not Execution.objects.exists()


def test_too_large_a_file_leaves_nothing(client: APIClient, settings: Settings) -> None:
    settings.AUTOMATE_API_ARTIFACT_MAX_BYTES = 5
    assert post(client, first=file(), others=[file(b"123456")]).status_code == 413
    assert not Artifact.objects.exists()
    assert not stored()


def test_over_the_endpoint_s_limit_nothing_is_left(client: APIClient, endpoint: Any, redis_cache: str) -> None:
    endpoint.rate_limit = "1/hour"
    endpoint.save()
    assert post(client, first=file()).status_code == 200
    assert post(client, first=file()).status_code == 429
    assert Artifact.objects.count() == stored() == 2


def test_somebody_else_s_artifact_is_no_artifact(client: APIClient) -> None:
    foreign = Artifact.objects.create(
        tenant_id="default", user=make_actor().user, name="x", kind="text", content_type="text/plain", size=1, file="x"
    )
    answers = [
        client.post(f"{MODAL}/endpoints/join/{how}/", {"input": given}, format="json").json()
        for how in ("run", "stream", "job")
        for key in (str(foreign.pk), str(foreign.pk).replace("0", "1"))
        for given in ({"first": key},)
    ]
    assert {json.dumps(answer["errors"]) for answer in answers} == {json.dumps(answers[0]["errors"])}
    assert answers[0]["errors"] == [
        {"field": "input.first", "code": "does_not_exist", "detail": "There is no such object."}
    ]


def test_a_replay_finds_that_its_file_is_gone(client: APIClient) -> None:
    execution = post(client, first=file()).json()["execution"]
    again = client.post(f"/api/v1/executions/{execution}/replay/")
    assert again.status_code == 200, again.content
    Artifact.objects.all().delete()
    gone = client.post(f"/api/v1/executions/{execution}/replay/")
    assert (gone.status_code, gone.json()["errors"][0]["code"]) == (400, "does_not_exist")


def test_sent_again_under_one_key_it_is_stored_once(client: APIClient) -> None:
    answers = [
        client.post(
            f"{MODAL}/endpoints/join/run/", {"first": file()}, format="multipart", headers={"Idempotency-Key": "k-1"}
        )
        for _time in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert Artifact.objects.count() == 2
