"""Runs of the multi-modal capabilities on the test's model server: at once, as a stream, and as a job."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage

from automate_api.engine.transports import EventStream, collect
from automate_api.models import Actor, Artifact, Endpoint, Execution
from automate_api.services.artifacts import open_artifact
from automate_api.services.attempts import work_on
from automate_api.services.jobs import create_job
from automate_api.services.runs import prepare_execution, prepare_run
from tests.factories import make_actor
from tests.jobs.making import chat_endpoint
from tests.upstream import FakeUpstream

Event = tuple[str, dict[str, Any]]
Transport = Callable[[Execution], list[Event]]


def endpoint_for(upstream: FakeUpstream, task_type: str, model: str = "fake", **fields: Any) -> Endpoint:
    """An endpoint of that task type."""
    return chat_endpoint(upstream, model, task_types=[task_type], **fields)


def prepare(endpoint: Endpoint, given: Any, actor: Actor | None = None, **params: Any) -> Execution:
    """An execution that is checked, and not stored."""
    who = actor or make_actor()
    return prepare_execution(endpoint, actor=who, correlation_id="c-1", input=given, params=params)


def at_once(execution: Execution) -> list[Event]:
    """Run it; only its end is told."""
    end = collect(prepare_run(execution))
    return [(end.type.value, end.data)]


def as_stream(execution: Execution) -> list[Event]:
    """Run it as a stream; what its client reads."""
    response = EventStream(prepare_run(execution, stream=True), is_async=False)
    try:
        frames = b"".join(response).decode().split("\n\n")
    finally:
        response.close()
    fields = [dict(line.split(": ", 1) for line in frame.splitlines()) for frame in frames if frame.startswith("id")]
    return [(one["event"], json.loads(one["data"])) for one in fields]


def as_job(execution: Execution) -> list[Event]:
    """Run it as a job, whose worker is this thread; its log."""
    job = create_job(execution)
    assert work_on(job.pk)
    return [(event.type, event.data) for event in job.events.order_by("sequence")]


TRANSPORTS = {"run": at_once, "stream": as_stream, "job": as_job}


def stored(execution: Execution) -> Execution:
    """The execution as it is stored."""
    found: Execution = Execution.objects.get(pk=execution.pk)
    return found


def content_of(artifact: Artifact) -> bytes:
    """The whole file."""
    with open_artifact(artifact) as file:
        return file.read()


def files() -> list[Path]:
    """What is in the storage."""
    return [path for path in Path(default_storage.path("")).rglob("*") if path.is_file()]
