"""What the host with a capability of its own adds to the story: it is run in each way, and described."""

import re
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from drf_spectacular.settings import patched_settings

from automate_api.services.attempts import work_on
from tests.hosts.story import VERSIONS, Story
from tests.hosts.telling import Caller, api, route

TEXT = b"two One two"


def chapter(story: Story) -> dict[str, Any]:
    """The capability in an endpoint of everybody's."""
    story.staff("POST", api("endpoint-list"), {"name": "List", "slug": "list", "task_types": ["words.list"]})
    text = _upload(story.member)
    asked = {"input": {"text": text, "options": {"case": "lower"}}}
    run = story.member("POST", api("endpoint-run", pk="list"), asked).json()
    wrong = [{"text": "x"}, {}, {"text": 7}, {"text": text, "options": {"case": "upper"}}, {"text": text, "more": 1}]
    return {
        "run": [run["status"], run["output"]["count"], _downloaded(story.member, run["output"]["list"])],
        "streamed": _streamed(story.member, asked),
        "as a job": _as_a_job(story.member, asked),
        "refused": [_refusal(story.member, given) for given in wrong],
        "of another": [_refusal(who, {"text": text}) for who in (story.other, story.stranger)],
        "its list by another": story.other("GET", api("artifact-download", pk=run["output"]["list"])).status_code,
        "described": [_described(story.member, version) for version in VERSIONS],
    }


def _upload(caller: Caller) -> str:
    file = SimpleUploadedFile("text.txt", TEXT, content_type="text/plain")
    headers = {"Authorization": f"Bearer {caller.key}"}
    made: Any = caller.client.post(api("artifact-list"), {"file": file}, headers=headers)
    return str(made.json()["id"])


def _downloaded(caller: Caller, artifact: str) -> list[str]:
    answer = caller("GET", api("artifact-download", pk=artifact))
    content = b"".join(answer.streaming_content)
    answer.close()
    return content.decode().split("\n")


def _streamed(caller: Caller, asked: Any) -> list[str]:
    answer = caller("POST", route("automate_modal:endpoint-stream", pk="list"), asked)
    frames = b"".join(answer.streaming_content).decode()
    answer.close()
    return re.findall(r"^event: (\w+)$", frames, re.MULTILINE)


def _as_a_job(caller: Caller, asked: Any) -> list[Any]:
    job = caller("POST", route("automate_modal:endpoint-job", pk="list"), asked).json()["job_id"]
    work_on(UUID(job))
    told = caller("GET", route("automate_modal:job-status", pk=job)).json()
    return [told["status"], told["result"]["count"], _downloaded(caller, told["result"]["list"])]


def _refusal(caller: Caller, given: Any) -> list[Any]:
    answer = caller("POST", api("endpoint-run", pk="list"), {"input": given})
    errors = answer.json().get("errors", ())
    return [answer.status_code, *[f"{error['field']} {error['code']}" for error in errors]]


def _described(caller: Caller, version: str) -> list[Any]:
    with patched_settings({"OAS_VERSION": version}):
        schemas = caller("GET", api("schema")).json()["components"]["schemas"]
    request = schemas["AutomateRunRequest"]["properties"]["input"]
    is_offered = {"$ref": "#/components/schemas/AutomateInputWordsList"} in request["anyOf"]
    case = schemas["AutomateInputWordsListOptionsCase"]["enum"]
    return [is_offered, schemas["AutomateInputWordsList"]["required"], case]
