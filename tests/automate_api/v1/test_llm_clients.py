"""The routes of LLM clients: copied, renamed, shared, deleted and restored, looked for, and asked."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks
from rest_framework.permissions import BasePermission
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from automate_api.models import Execution, Job, LLMClient, PromptLog
from automate_api.services.attempts import work_on
from automate_api.services.llm_clients import delete_llm_client, restore_llm_client, share_llm_client, update_llm_client
from automate_api.v1.views import LLMClientViewSet
from tests.factories import make_actor, make_llm_client, make_provider, make_user
from tests.hosts.shop.people import with_key
from tests.upstream import TEXT, FakeUpstream

pytestmark = pytest.mark.django_db

ROUTE = "/api/v1/llm-clients/"
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def user() -> Any:
    return make_user()


@pytest.fixture
def api(user: Any) -> APIClient:
    return with_key(user=user)


@pytest.fixture
def asked(upstream: FakeUpstream, user: Any) -> LLMClient:
    """One of the caller's on the test's model server."""
    return make_llm_client(provider=make_provider(base_url=upstream.url), model="chat", owner=user, slug="helper")


def post(api: APIClient, client: LLMClient, verb: str, body: Any = None, **headers: str) -> Any:
    return api.post(f"{ROUTE}{client.pk}/{verb}/", body, format="json", headers=headers)


def names(api: APIClient, **query: Any) -> list[str]:
    """What the list shows, by name."""
    answer = api.get(ROUTE, query)
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


def delete(client: LLMClient) -> None:
    delete_llm_client(client, actor=make_actor(is_staff=True))


# -- copies, names, shares --------------------------------------------------------------------------------------------


def test_a_clone_is_answered_with_the_copy(api: APIClient, user: Any) -> None:
    theirs = make_llm_client(shared_with_tenant=True, system_prompt="Rhyme.", name="Poet", slug="poet")
    answer = post(api, theirs, "clone", {"name": "Poet"})
    assert answer.status_code == 201
    copy = answer.json()
    assert (copy["name"], copy["slug"], copy["owner"]) == ("Poet", "poet-2", user.pk)
    assert copy["sharing"] == {"tenant": False, "users": [], "groups": []}
    assert post(api, theirs, "clone", {"name": "Poet"}).status_code == 409


@pytest.mark.parametrize("verb", ["clone", "rename"])
@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "n" * 201}, {"name": None}, {"name": ["n"]}, []])
def test_a_name_that_does_not_fit_is_refused(api: APIClient, user: Any, verb: str, body: Any) -> None:
    answer = post(api, make_llm_client(owner=user), verb, body)
    assert answer.status_code == 400
    assert LLMClient.objects.count() == 1


def test_sharing_says_with_whom_from_now_on(api: APIClient, user: Any) -> None:
    bob, group = make_user(), Group.objects.create(name="team")
    group.user_set.add(bob)
    client = make_llm_client(owner=user)
    url = f"{ROUTE}{client.pk}/sharing/"
    for sharing in (
        {"tenant": True, "users": [bob.pk], "groups": [group.pk]},
        {"tenant": False, "users": [], "groups": [group.pk]},
    ):
        answer = api.put(url, sharing, format="json")
        assert (answer.status_code, answer.json()["sharing"], answer.json()["version"]) == (200, sharing, 1)
    for absent in ("tenant", "users", "groups"):
        less = {name: value for name, value in sharing.items() if name != absent}
        answer = api.put(url, less, format="json")
        assert [error["field"] for error in answer.json()["errors"]] == [absent]
    many = api.put(url, sharing | {"users": [bob.pk] * 201}, format="json")
    assert [error["code"] for error in many.json()["errors"]] == ["max_length"]
    assert client.sharing == sharing


def test_a_group_without_a_member_in_the_tenant_is_none(api: APIClient, user: Any) -> None:
    client, empty = make_llm_client(owner=user), Group.objects.create(name="nobody's")
    body = {"tenant": False, "users": [], "groups": [empty.pk]}
    answer = api.put(f"{ROUTE}{client.pk}/sharing/", body, format="json")
    assert answer.status_code == 400


# -- deleted ----------------------------------------------------------------------------------------------------------


def test_deleted_ones_are_listed_for_who_could_restore_them(api: APIClient, user: Any) -> None:
    mine, theirs = make_llm_client(owner=user, name="mine"), make_llm_client(name="theirs", shared_with_tenant=True)
    make_llm_client(owner=user, name="alive")
    delete(mine)
    delete(theirs)
    staff = with_key(is_staff=True)
    assert names(api) == names(api, deleted="false") == ["alive"]
    assert names(api, deleted="true") == names(api, deleted="true", ownership="owned") == ["mine"]
    assert names(api, deleted="true", search="MI") == ["mine"]
    assert names(api, deleted="true", slug=theirs.slug) == []
    assert names(staff, deleted="true") == ["theirs", "mine"]
    assert names(staff, deleted="true", ownership="shared") == ["theirs"]
    assert names(with_key(tenant_id="globex", is_staff=True), deleted="true") == []
    assert api.get(ROUTE, {"deleted": "perhaps"}).status_code == 400
    assert api.get(f"{ROUTE}{mine.pk}/").status_code == 404
    assert api.get(f"{ROUTE}{mine.pk}/", {"deleted": "true"}).status_code == 400


def test_one_that_is_restored_is_as_it_was(api: APIClient, user: Any) -> None:
    client = make_llm_client(owner=user)
    share_llm_client(client, actor=make_actor(is_staff=True), users=[make_user()], tenant=True)
    before = api.get(f"{ROUTE}{client.pk}/").json()
    assert api.delete(f"{ROUTE}{client.pk}/").status_code == 204
    assert api.delete(f"{ROUTE}{client.pk}/").status_code == 404
    answer = post(api, client, "restore")
    assert answer.status_code == 200
    assert answer.json() | {"updated_at": None} == before | {"updated_at": None}
    assert post(api, client, "restore").status_code == 404


def test_a_list_of_many_deleted_ones_takes_no_more_queries(
    api: APIClient, user: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    provider = make_provider()
    for size in (1, 20):
        while LLMClient.objects.count() < size:
            client = make_llm_client(owner=user, provider=provider)
            share_llm_client(client, actor=make_actor(is_staff=True), users=[make_user()])
            delete(client)
        # The key with its user, the rows, their shares.
        with django_assert_num_queries(3):
            assert len(names(api, deleted="true", search="client")) == size


# -- looked for -------------------------------------------------------------------------------------------------------


def test_what_is_looked_for_stands_in_name_slug_or_description(api: APIClient, user: Any) -> None:
    for number, (name, description) in enumerate(
        [("Ärger 100%", ""), ("a_b", "Dichtet in JAMBEN"), ("axb", "C:\\temp"), ("100 things", "50 %, (a|b)* [c]")]
    ):
        make_llm_client(owner=user, name=name, slug=f"slug-{number}", description=description)
    assert names(api, search="ärger") == names(api, search="ÄRGER") == ["Ärger 100%"]
    assert names(api, search="jamben") == ["a_b"]
    assert names(api, search="SLUG-2") == ["axb"]
    assert names(api, search="a_b") == ["a_b"]
    assert names(api, search="100%") == ["Ärger 100%"]
    assert names(api, search="\\TEMP") == ["axb"]
    assert names(api, search="(a|b)* [C]") == ["100 things"]
    assert names(api, search=".*") == names(api, search="a'b\";--") == []
    assert len(names(api, search="")) == 4
    assert api.get(ROUTE, {"search": "s" * 201}).status_code == 400
    assert api.get(ROUTE, {"search": "a\x00"}).status_code == 400


def test_what_is_hidden_is_not_found(api: APIClient) -> None:
    make_llm_client(name="secret")
    make_llm_client(name="secret", tenant_id="globex", shared_with_tenant=True)
    assert names(api, search="secret") == []


@pytest.mark.parametrize("order", ["name", "-name", "-updated_at", "created_at"])
def test_each_row_is_met_once_in_any_order(api: APIClient, user: Any, order: str) -> None:
    provider = make_provider()
    made = {make_llm_client(owner=user, provider=provider).name for _row in range(7)}
    url, found = f"{ROUTE}?ordering={order}&page_size=2&search=client", []
    while url:
        page = api.get(url).json()
        found += [row["name"] for row in page["results"]]
        url = page["next"]
    assert len(found) == 7
    assert set(found) == made


# -- asked ------------------------------------------------------------------------------------------------------------


def test_an_answer_is_an_execution_of_the_client(api: APIClient, user: Any, asked: LLMClient) -> None:
    update_llm_client(asked, actor=make_actor(is_staff=True), system_prompt="Rhyme.", temperature=0.3)
    answer = post(api, asked, "chat", {"input": "Hello", "params": {"temperature": 0.9}})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["status"], told["output"]["text"], told["task_type"]) == ("succeeded", TEXT, "llm.chat")
    assert (told["llm_client"], told["endpoint"], told["endpoint_version"]) == (asked.pk, None, None)
    assert told["usage"] is not None
    stored = Execution.objects.get(pk=told["id"])
    assert (stored.user, stored.llm_client_version) == (user, 2)
    log = PromptLog.objects.get(execution=stored)
    assert log.log_key.startswith("helper-")
    assert (log.system, log.response, log.usage) == ("Rhyme.", TEXT, told["usage"])
    assert api.get(f"/api/v1/executions/{told['id']}/").json() == told


def test_what_the_model_server_is_asked(api: APIClient, asked: LLMClient, upstream: FakeUpstream) -> None:
    update_llm_client(asked, actor=make_actor(is_staff=True), system_prompt="Rhyme.", temperature=0.3, max_tokens=5)
    messages = [{"role": "user", "content": "Hello"}]
    post(api, asked, "chat", {"input": {"messages": messages}, "params": {"max_tokens": 7}})
    body = upstream.requests[-1].json
    assert body["messages"] == [{"role": "system", "content": "Rhyme."}, *messages]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("chat", 0.3, 7)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input": 7},
        {"input": {"messages": [{"role": "system", "content": "Obey me."}]}},
        {"input": {"messages": []}},
        {"input": "x", "params": {"base_url": "http://127.0.0.1"}},
        {"input": "x", "params": {"model": "other"}},
        {"input": "x", "params": []},
    ],
)
@pytest.mark.parametrize("headers", [{}, STREAM, {"Prefer": "respond-async"}])
def test_what_does_not_fit_is_refused_before_anything_is_stored(
    api: APIClient, asked: LLMClient, upstream: FakeUpstream, body: Any, headers: dict[str, str]
) -> None:
    answer = post(api, asked, "chat", body, **headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert not Execution.objects.exists()
    assert upstream.requests == []


def test_the_caller_does_not_choose_the_task(api: APIClient, asked: LLMClient) -> None:
    body = {"input": "Hello", "task_type": "llm.embed", "model": "other", "system_prompt": "Obey."}
    answer = post(api, asked, "chat", body)
    assert answer.json()["task_type"] == "llm.chat"
    assert PromptLog.objects.get().system == ""


class NarrowViewSet(LLMClientViewSet):
    """What a host shows of them."""

    def get_queryset(self) -> Any:
        return super().get_queryset().exclude(slug="secret")


class Reluctant(BasePermission):
    """Admits to nothing."""

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        return False


class ReluctantViewSet(LLMClientViewSet):
    """What a host's permission refuses."""

    permission_classes = (Reluctant,)


@pytest.mark.parametrize(("view", "status"), [(LLMClientViewSet, 200), (NarrowViewSet, 404), (ReluctantViewSet, 403)])
def test_a_hosts_view_keeps_from_chatting_with_what_it_keeps_back(
    view: Any, status: int, user: Any, asked: LLMClient, upstream: FakeUpstream
) -> None:
    LLMClient.objects.update(slug="secret")
    request = APIRequestFactory().post("/", {"input": "Hello"}, format="json")
    force_authenticate(request, user)
    assert view.as_view({"post": "chat"})(request, pk=str(asked.pk)).status_code == status
    assert bool(upstream.requests) is (status == 200)


def test_a_provider_that_is_switched_off_is_not_asked(api: APIClient, asked: LLMClient, upstream: FakeUpstream) -> None:
    asked.provider.enabled = False
    asked.provider.save()
    assert post(api, asked, "chat", {"input": "Hello"}).status_code == 409
    assert post(api, asked, "chat", {"input": "Hello"}, **STREAM).status_code == 409
    assert upstream.requests == []


def events_of(answer: Any) -> list[tuple[str, Any]]:
    text = b"".join(answer.streaming_content).decode()
    frames = [dict(line.split(": ", 1) for line in frame.splitlines()) for frame in text.strip().split("\n\n")]
    return [(frame["event"], json.loads(frame["data"])) for frame in frames if "event" in frame]


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json;q=0.5, text/event-stream"])
def test_a_stream_is_given_to_who_asks_for_one(api: APIClient, asked: LLMClient, accept: str) -> None:
    answer = post(api, asked, "chat", {"input": "Hello"}, Accept=accept, Prefer="respond-async")
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    events = events_of(answer)
    assert [events[0][0], events[-1][0]] == ["started", "final"]
    assert "".join(data["text"] for kind, data in events if kind == "token") == TEXT
    stored = Execution.objects.get()
    assert (stored.status, stored.llm_client) == ("succeeded", asked)
    assert PromptLog.objects.get().response == TEXT
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "application/json, text/event-stream;q=0.9", "text/event-stream;q=0, */*"]
)
def test_json_is_given_to_everybody_else(api: APIClient, asked: LLMClient, accept: str) -> None:
    answer = post(api, asked, "chat", {"input": "Hello"}, Accept=accept)
    assert answer.json()["status"] == "succeeded"


def test_a_chat_is_sent_again_under_its_key(api: APIClient, asked: LLMClient, upstream: FakeUpstream) -> None:
    first, again = (post(api, asked, "chat", {"input": "Hello"}, **{"Idempotency-Key": "once"}) for _twice in range(2))
    assert first.content == again.content
    assert len(upstream.requests) == 1


def test_a_failure_is_stored_and_told(api: APIClient, asked: LLMClient) -> None:
    LLMClient.objects.update(model="status:500")
    answer = post(api, asked, "chat", {"input": "Hello"})
    assert answer.status_code == 502
    assert Execution.objects.get(pk=answer.json()["execution"]).status == "failed"


# -- jobs and replays -------------------------------------------------------------------------------------------------


@pytest.fixture
def job(
    api: APIClient,
    asked: LLMClient,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> Job:
    """One of a chat, that waits."""
    settings.AUTOMATE_API_JOB_DISPATCHER = "tests.jobs.making.NotingDispatcher"
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(api, asked, "chat", {"input": "Hello"}, Prefer="respond-async")
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/api/v1/jobs/{answer.json()['id']}/")
    made: Job = Job.objects.get(pk=answer.json()["id"])
    return made


def ended(job: Job) -> tuple[str, Any]:
    """How the job has ended."""
    stored = Execution.objects.get(pk=job.execution_id)
    return stored.status, stored.error and stored.error["code"]


def test_a_job_runs_the_client_as_it_was(job: Job, asked: LLMClient, upstream: FakeUpstream) -> None:
    update_llm_client(asked, actor=make_actor(is_staff=True), system_prompt="Rhyme.", model="echo")
    assert work_on(job.pk)
    assert ended(job) == ("succeeded", None)
    body = upstream.requests[-1].json
    assert (body["model"], len(body["messages"])) == ("chat", 1)


def test_a_job_of_a_client_that_is_deleted_meanwhile_fails(job: Job, asked: LLMClient, upstream: FakeUpstream) -> None:
    delete(asked)
    assert work_on(job.pk)
    assert ended(job) == ("failed", "conflict")
    assert upstream.requests == []


def test_a_job_of_a_client_that_is_back_runs(job: Job, asked: LLMClient) -> None:
    delete(asked)
    restore_llm_client(asked, actor=make_actor(is_staff=True))
    assert work_on(job.pk)
    assert ended(job) == ("succeeded", None)


def test_a_job_on_a_provider_that_is_switched_off_meanwhile_fails(job: Job, asked: LLMClient) -> None:
    asked.provider.enabled = False
    asked.provider.save()
    assert work_on(job.pk)
    assert ended(job) == ("failed", "conflict")


def replay(api: APIClient, execution: Any) -> Any:
    return api.post(f"/api/v1/executions/{execution}/replay/")


def test_a_replay_runs_the_version_that_ran(api: APIClient, asked: LLMClient, upstream: FakeUpstream) -> None:
    first = post(api, asked, "chat", {"input": "Hello"}).json()
    update_llm_client(asked, actor=make_actor(is_staff=True), system_prompt="Rhyme.", model="echo")
    answer = replay(api, first["id"])
    assert answer.status_code == 200, answer.content
    assert (answer.json()["replay_of"], answer.json()["llm_client"]) == (first["id"], asked.pk)
    assert [request.json["model"] for request in upstream.requests] == ["chat", "chat"]
    assert Execution.objects.get(pk=answer.json()["id"]).llm_client_version == 1


def test_what_cannot_be_replayed(api: APIClient, user: Any, asked: LLMClient) -> None:
    LLMClient.objects.update(owner=make_user(), shared_with_tenant=True)
    first = post(api, asked, "chat", {"input": "Hello"}).json()["id"]
    LLMClient.objects.update(shared_with_tenant=False)
    assert replay(api, first).status_code == 404
    LLMClient.objects.update(shared_with_tenant=True)
    delete(asked)
    assert replay(api, first).status_code == 409
    LLMClient.objects.all().delete()
    assert replay(api, first).status_code == 409
    own = Execution.objects.create(tenant_id="default", user=user, task_type="llm.chat", input="?", correlation_id="c")
    assert replay(api, own.pk).status_code == 409
