"""A job runs what its endpoint and its LLM client were when it was asked for, at the provider as it is now."""

from typing import Any

import pytest

from automate_api.models import Endpoint, Job, LLMClient
from automate_api.services.attempts import work_on
from automate_api.services.endpoints import update_endpoint
from automate_api.services.llm_clients import update_llm_client
from automate_api.services.providers import update_provider
from tests.factories import make_actor, make_llm_client, make_provider
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture
from tests.jobs.making import KEY, chat_endpoint, fresh, make_job
from tests.upstream import FakeUpstream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]


@pytest.fixture
def job(upstream: FakeUpstream) -> Job:
    return make_job(chat_endpoint(upstream, default_params={"temperature": 0.1}))


def sent(upstream: FakeUpstream, job: Job) -> Any:
    """What the model server was asked by the job."""
    work_on(job.pk)
    assert fresh(job).status == "succeeded", fresh(job).error
    return upstream.requests[-1].json


def client_of(job: Job) -> LLMClient:
    client: LLMClient = LLMClient.objects.get(pk=job.execution.llm_client_id)
    return client


def test_an_endpoint_that_is_changed_meanwhile(upstream: FakeUpstream, job: Job) -> None:
    endpoint = Endpoint.objects.get()
    update_endpoint(endpoint, default_params={"temperature": 0.9}, input_schema={"type": "integer"})
    assert sent(upstream, job)["temperature"] == 0.1
    assert Endpoint.objects.get().default_params == {"temperature": 0.9}


def test_an_llm_client_that_is_changed_meanwhile(upstream: FakeUpstream, job: Job) -> None:
    update_llm_client(client_of(job), actor=make_actor(is_staff=True), model="echo", system_prompt="Rhyme.")
    body = sent(upstream, job)
    assert body["model"] == "chat"
    assert [message["role"] for message in body["messages"]] == ["user"]


def test_an_endpoint_that_is_given_another_llm_client(upstream: FakeUpstream, job: Job) -> None:
    other = make_llm_client(provider=make_provider(base_url=upstream.url), model="echo")
    update_endpoint(Endpoint.objects.get(), llm_client=other)
    assert sent(upstream, job)["model"] == "chat"


def test_an_llm_client_that_is_given_another_provider(upstream: FakeUpstream, job: Job) -> None:
    update_llm_client(
        client_of(job), actor=make_actor(is_staff=True), provider=make_provider(base_url="https://elsewhere.example/v1")
    )
    assert sent(upstream, job)["model"] == "chat"


def test_a_key_that_is_changed_meanwhile_is_the_one_used(upstream: FakeUpstream, job: Job) -> None:
    update_provider(client_of(job).provider, api_key="sk-the-new-key-of-today")
    sent(upstream, job)
    assert upstream.requests[-1].headers["authorization"] == "Bearer sk-the-new-key-of-today"
    assert KEY not in str(upstream.requests[-1].headers)


@pytest.mark.parametrize("what", ["endpoint", "llm_client", "version"])
def test_what_is_gone_is_no_longer_run(upstream: FakeUpstream, job: Job, what: str) -> None:
    if what == "endpoint":
        Endpoint.objects.all().delete()
    elif what == "llm_client":
        Endpoint.objects.update(llm_client=None)
        client_of(job).delete()
    else:
        Endpoint.objects.get().versions.all().delete()
    work_on(job.pk)
    ended = fresh(job)
    assert (ended.status, ended.error["code"], ended.execution.status) == ("failed", "conflict", "failed")
    assert "gone" in ended.error["detail"]
    assert upstream.requests == []
