"""Jobs for tests, dispatchers that only note what they are asked, and capabilities that a test writes."""

from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import F

from automate_api.engine.capability import Capability, RunContext
from automate_api.engine.events import EventType, RunEvent
from automate_api.models import Endpoint, Job
from automate_api.services.jobs import create_job
from automate_api.services.runs import prepare_execution
from tests.factories import make_actor, make_endpoint, make_llm_client, make_provider
from tests.upstream import FakeUpstream

KEY = "sk-canary-0123456789abcdef"
FINAL = RunEvent(EventType.FINAL, {"output": "done", "usage": None, "cost": None})


class NotingDispatcher:
    """Notes `(job, delay)`; the test calls the worker."""

    asked: ClassVar[list[tuple[UUID, float]]] = []

    def enqueue(self, job_id: UUID, *, delay: float, priority: int) -> None:
        self.asked.append((job_id, delay))


class BrokenDispatcher:
    """Its queue is down."""

    def enqueue(self, job_id: UUID, *, delay: float, priority: int) -> None:
        raise ConnectionError("redis://:password@queue is down")


class Written(Capability):
    """Does what the test says: `script(ctx)` is an asynchronous generator function."""

    task_type = "test.written"
    script: Callable[[RunContext], AsyncGenerator[RunEvent, None]]

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        async for event in type(self).script(ctx):
            yield event
        yield FINAL


def chat_endpoint(upstream: FakeUpstream, model: str = "chat", **fields: Any) -> Endpoint:
    """An endpoint on `model` of the test's model server."""
    provider = make_provider(base_url=upstream.url, api_key=KEY)
    return make_endpoint(llm_client=make_llm_client(provider=provider, model=model), **fields)


def written_endpoint() -> Endpoint:
    """An endpoint on what the test has written."""
    endpoint: Endpoint = Endpoint.objects.create(
        tenant_id="default", slug="written", name="written", task_types=[Written.task_type]
    )
    return endpoint


def make_job(endpoint: Endpoint, given: Any = "Hello", **columns: Any) -> Job:
    """A queued job, with `columns` set."""
    job = create_job(prepare_execution(endpoint, actor=make_actor(), correlation_id="c-1", input=given))
    if columns:
        Job.objects.filter(pk=job.pk).update(**columns)
    return fresh(job)


def fresh(job: Job) -> Job:
    """The job as it is stored."""
    stored: Job = Job.objects.select_related("execution").get(pk=job.pk)
    return stored


def age(job: Job, seconds: float) -> None:
    """Let `seconds` have passed since the job was touched."""
    past = timedelta(seconds=seconds)
    times = ("not_before", "enqueued_at", "leased_until", "started_at")
    Job.objects.filter(pk=job.pk).update(**{name: F(name) - past for name in times})


def kinds(job: Job) -> list[str]:
    """The types of what the job's log says, neighbouring tokens as one."""
    found = list(job.events.order_by("sequence").values_list("type", flat=True))
    return [kind for place, kind in enumerate(found) if kind != "token" or found[place - 1] != "token"]


def last_of(job: Job) -> dict[str, Any]:
    """The data of the last event of the job's log, after a look at its sequence."""
    events = list(job.events.order_by("sequence"))
    assert [event.sequence for event in events] == list(range(1, fresh(job).last_event + 1))
    data: dict[str, Any] = events[-1].data
    return data
