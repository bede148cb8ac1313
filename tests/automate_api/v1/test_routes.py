"""The routes of the domain: who may do what, in which tenant, in how many queries."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from automate_api.models import APIKey, Endpoint, Execution, LLMClient, PromptLog, Provider
from automate_api.services.api_keys import authenticate_key, issue_key
from tests.factories import make_endpoint, make_llm_client, make_provider, make_user
from tests.upstream import TEXT, FakeUpstream

pytestmark = pytest.mark.django_db

Call = Callable[..., Any]


class Caller:
    """Somebody with an API key."""

    def __init__(self, tenant_id: str, *, is_staff: bool = False, scopes: tuple[str, ...] = ("*",)) -> None:
        self.tenant_id = tenant_id
        self.user = make_user(is_staff=is_staff)
        self.key, text = issue_key(tenant_id=tenant_id, user=self.user, name="test", scopes=scopes)
        self._client = APIClient(HTTP_AUTHORIZATION=f"Bearer {text}")

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        send = getattr(self._client, method)
        return send(f"/api/v1/{path}", body, format="json") if body is not None else send(f"/api/v1/{path}")


@pytest.fixture
def staff() -> Caller:
    return Caller("acme", is_staff=True)


@pytest.fixture
def ann() -> Caller:
    return Caller("acme")


@pytest.fixture
def bob() -> Caller:
    return Caller("acme")


@pytest.fixture
def stranger() -> Caller:
    return Caller("globex", is_staff=True)


def make_execution(caller: Caller, **fields: Any) -> Execution:
    given = {"endpoint_version": 1, "task_type": "llm.chat", "input": "x", "correlation_id": "c", **fields}
    return Execution.objects.create(tenant_id=caller.tenant_id, user=caller.user, **given)


def make_prompt_log(caller: Caller) -> PromptLog:
    return PromptLog.objects.create(
        tenant_id=caller.tenant_id, user=caller.user, execution=make_execution(caller), log_key=f"log-{uuid4()}"
    )


PROVIDER = {"name": "Main", "base_url": "https://model.example/v1", "api_key": "sk-secret-canary", "default_model": "m"}


def test_the_whole_way_from_a_provider_to_an_answer(staff: Caller, ann: Caller, upstream: FakeUpstream) -> None:
    provider = staff("post", "providers/", {**PROVIDER, "base_url": upstream.url})
    assert provider.status_code == 201, provider.content
    assert staff("post", f"providers/{provider.data['id']}/test/").data["ok"] is True
    client = staff("post", "llm-clients/", {"name": "Helper", "provider": provider.data["id"], "model": "chat"})
    assert client.status_code == 201, client.content
    body = {
        "name": "Ask",
        "task_types": ["llm.chat"],
        "llm_client": client.data["id"],
        "input_schema": {"type": "string"},
    }
    endpoint = staff("post", "endpoints/", body)
    assert endpoint.status_code == 201, endpoint.content
    run = ann("post", "endpoints/ask/run/", {"input": "Hello", "params": {"temperature": 0}})
    assert (run.status_code, run.data["status"], run.data["output"]["text"]) == (200, "succeeded", TEXT)
    assert ann("get", f"executions/{run.data['id']}/").data["usage"]["total_tokens"] == 26
    assert [row["response"] for row in ann("get", "prompt-logs/").data["results"]] == [TEXT]
    assert {row["name"] for row in ann("get", "models/").data} == {"m"}
    assert {row["name"] for row in staff("get", "models/").data} == {"m", "chat"}


def test_a_members_provider_has_fewer_fields_and_nobody_sees_the_key(staff: Caller, ann: Caller) -> None:
    created = staff("post", "providers/", PROVIDER)
    assert created.data["has_api_key"] is True
    assert set(ann("get", "providers/").data["results"][0]) == {
        "id", "name", "slug", "base_url", "default_model", "enabled",
    }  # fmt: skip
    for caller in (staff, ann):
        for path in ("providers/", f"providers/{created.data['id']}/"):
            assert b"sk-secret-canary" not in caller("get", path).content


def test_a_changed_address_drops_the_key_over_http(staff: Caller) -> None:
    made = staff("post", "providers/", PROVIDER).data
    changed = staff("patch", f"providers/{made['id']}/", {"base_url": "https://elsewhere.example/v1"})
    assert changed.data["has_api_key"] is False


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "providers/"),
        ("put", "providers/{provider}/"),
        ("patch", "providers/{provider}/"),
        ("delete", "providers/{provider}/"),
        ("post", "providers/{provider}/test/"),
        ("post", "endpoints/"),
        ("put", "endpoints/{endpoint}/"),
        ("patch", "endpoints/{endpoint}/"),
        ("delete", "endpoints/{endpoint}/"),
        ("get", "api-keys/"),
        ("post", "api-keys/"),
        ("post", "api-keys/{key}/rotate/"),
        ("post", "api-keys/{key}/revoke/"),
    ],
)
def test_what_only_staff_may_do_is_403_for_a_member(ann: Caller, method: str, path: str) -> None:
    ids = {
        "provider": make_provider(tenant_id="acme").pk,
        "endpoint": make_endpoint(tenant_id="acme").pk,
        "key": ann.key.pk,
    }
    answer = ann(method, path.format(**ids), {"name": "x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert (Provider.objects.count(), Endpoint.objects.count(), APIKey.objects.count()) == (2, 1, 1)


def test_nobody_is_401_with_a_challenge() -> None:
    for path in ("providers/", "llm-clients/", "endpoints/", "executions/", "prompt-logs/", "api-keys/", "models/", ""):
        answer = APIClient().get(f"/api/v1/{path}")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="api"')


ROWS: list[tuple[str, Callable[[Caller], Any], tuple[str, ...]]] = [
    ("providers", lambda owner: make_provider(tenant_id=owner.tenant_id), ("get", "put", "patch", "delete", "test")),
    (
        "llm-clients",
        lambda owner: make_llm_client(tenant_id=owner.tenant_id, owner=owner.user),
        ("get", "put", "patch", "delete"),
    ),
    ("endpoints", lambda owner: make_endpoint(tenant_id=owner.tenant_id), ("get", "put", "patch", "delete", "run")),
    ("modal/endpoints", lambda owner: make_endpoint(tenant_id=owner.tenant_id), ("stream",)),
    ("executions", make_execution, ("get",)),
    ("prompt-logs", make_prompt_log, ("get",)),
    ("api-keys", lambda owner: owner.key, ("get", "rotate", "revoke")),
]


@pytest.mark.parametrize(("noun", "make", "operations"), ROWS, ids=[row[0] for row in ROWS])
def test_another_tenants_row_is_like_no_row(
    staff: Caller, stranger: Caller, noun: str, make: Callable[[Caller], Any], operations: tuple[str, ...]
) -> None:
    foreign = make(stranger)
    absent = uuid4() if not isinstance(foreign.pk, int) else 987654321
    before = type(foreign).objects.filter(pk=foreign.pk).values().get()
    for operation in operations:
        suffix, method = (
            (f"{operation}/", "post") if operation in {"test", "run", "stream", "rotate", "revoke"} else ("", operation)
        )
        body = {"name": "x", "input": "x", "base_url": "https://a.example/v1"} if method != "get" else None
        answers = [staff(method, f"{noun}/{key}/{suffix}", body) for key in (foreign.pk, absent)]
        assert answers[0].status_code == answers[1].status_code == 404, operation
        assert answers[0].content == answers[1].content
    if "get" in operations:
        listed = staff("get", f"{noun}/").data["results"]
        assert str(foreign.pk) not in {str(row["id"]) for row in listed}
    assert type(foreign).objects.filter(pk=foreign.pk).values().get() == before


def test_another_tenants_id_in_a_body_is_like_no_id(staff: Caller, stranger: Caller) -> None:
    provider, client = make_provider(tenant_id="globex"), make_llm_client(tenant_id="globex")
    for path, field, foreign, body in (
        ("llm-clients/", "provider", provider.pk, {"name": "x", "model": "m"}),
        ("endpoints/", "llm_client", client.pk, {"name": "x", "task_types": ["llm.chat"]}),
    ):
        answers = [staff("post", path, {**body, field: value}) for value in (foreign, 987654321)]
        assert [answer.status_code for answer in answers] == [400, 400]
        assert answers[0].content == answers[1].content
    assert LLMClient.objects.filter(tenant_id="acme").count() == 0


def test_a_list_filtered_by_another_tenants_id_is_empty(staff: Caller, stranger: Caller) -> None:
    endpoint = make_endpoint(tenant_id="globex")
    make_execution(stranger, endpoint=endpoint)
    answers = [staff("get", f"executions/?endpoint={key}") for key in (endpoint.pk, 987654321)]
    assert [answer.data["results"] for answer in answers] == [[], []]


def test_a_tenant_id_in_a_body_is_not_read(staff: Caller) -> None:
    made = staff("post", "providers/", {**PROVIDER, "tenant_id": "globex"})
    assert Provider.objects.get(pk=made.data["id"]).tenant_id == "acme"


def test_a_member_sees_its_own_runs_and_logs_and_staff_all(staff: Caller, ann: Caller, bob: Caller) -> None:
    log = make_prompt_log(ann)
    for noun, key in (("prompt-logs", log.pk), ("executions", log.execution_id)):
        assert len(ann("get", f"{noun}/").data["results"]) == 1
        assert len(staff("get", f"{noun}/").data["results"]) == 1
        assert bob("get", f"{noun}/").data["results"] == []
        assert bob("get", f"{noun}/{key}/").status_code == 404


def test_a_member_cannot_run_what_does_not_admit_it(
    staff: Caller, ann: Caller, bob: Caller, upstream: FakeUpstream
) -> None:
    provider = make_provider(tenant_id="acme", base_url=upstream.url)
    client = make_llm_client(tenant_id="acme", provider=provider)
    body = {"name": "Closed", "task_types": ["llm.chat"], "llm_client": client.pk}
    access = {"members": False, "users": [ann.user.pk], "groups": []}
    made = staff("post", "endpoints/", {**body, "access": access})
    assert made.data["access"] == access
    assert ann("post", "endpoints/closed/run/", {"input": "x"}).status_code == 200
    assert bob("post", "endpoints/closed/run/", {"input": "x"}).status_code == 404
    assert bob("post", "modal/endpoints/closed/stream/", {"input": "x"}).status_code == 404


def test_an_access_names_no_more_than_can_be_looked_up(staff: Caller) -> None:
    endpoint = make_endpoint(tenant_id="acme")
    with CaptureQueriesContext(connection) as queries:
        answer = staff("patch", f"endpoints/{endpoint.pk}/", {"access": {"users": list(range(1, 1000))}})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "access.users")
    assert len(queries) < 10


def test_whom_a_client_is_shared_with_reads_it_and_does_not_change_it(ann: Caller, bob: Caller) -> None:
    client = make_llm_client(tenant_id="acme", owner=ann.user, shared_with_tenant=True)
    assert bob("get", f"llm-clients/{client.pk}/").status_code == 200
    assert bob("patch", f"llm-clients/{client.pk}/", {"name": "x"}).status_code == 403
    assert bob("delete", f"llm-clients/{client.pk}/").status_code == 403
    names = {
        kind: len(bob("get", f"llm-clients/?ownership={kind}").data["results"]) for kind in ("all", "owned", "shared")
    }
    assert names == {"all": 1, "owned": 0, "shared": 1}
    assert bob("get", "llm-clients/?ownership=mine").status_code == 400


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("endpoints:read", {"get"}),
        ("endpoints:run", {"run", "stream"}),
        ("endpoints:write", {"patch"}),
        ("providers:read", set()),
    ],
)
def test_a_key_may_do_what_its_scopes_say(scope: str, allowed: set[str], upstream: FakeUpstream) -> None:
    provider = make_provider(tenant_id="acme", base_url=upstream.url)
    make_endpoint(tenant_id="acme", slug="ask", llm_client=make_llm_client(tenant_id="acme", provider=provider))
    caller = Caller("acme", is_staff=True, scopes=(scope,))
    answers = {
        "get": caller("get", "endpoints/ask/"),
        "patch": caller("patch", "endpoints/ask/", {"name": "x"}),
        "run": caller("post", "endpoints/ask/run/", {"input": "x"}),
        "stream": caller("post", "modal/endpoints/ask/stream/", {"input": "x"}),
    }
    for answer in answers.values():
        answer.close()
    assert {name for name, answer in answers.items() if answer.status_code == 200} == allowed
    assert {answer.status_code for name, answer in answers.items() if name not in allowed} <= {403}


def test_a_session_works_too_and_needs_csrf(ann: Caller) -> None:
    user = make_user(is_staff=True)
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.get("/api/v1/providers/").status_code == 200
    assert client.post("/api/v1/providers/", PROVIDER, format="json").status_code == 403
    assert Provider.objects.count() == 0


def test_an_api_key_is_shown_once(staff: Caller) -> None:
    made = staff("post", "api-keys/", {"name": "ci", "scopes": ["endpoints:run"]})
    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    text = made.data["api_key"]
    key = authenticate_key(text)
    assert key is not None
    assert (key.tenant_id, key.user) == ("acme", staff.user)
    rotated = staff("post", f"api-keys/{made.data['id']}/rotate/")
    assert authenticate_key(text) is None
    revoked = staff("post", f"api-keys/{made.data['id']}/revoke/")
    assert revoked.data["revoked_at"] is not None
    assert authenticate_key(rotated.data["api_key"]) is None
    secret = rotated.data["api_key"][37:]
    for path in ("api-keys/", f"api-keys/{made.data['id']}/"):
        assert secret not in staff("get", path).content.decode()
        assert "digest" not in staff("get", path).content.decode()


def test_an_api_key_is_rotated_without_a_gap(staff: Caller) -> None:
    made = staff("post", "api-keys/", {"name": "ci", "scopes": ["endpoints:run"]}).data
    assert (made["previous_until"], made["last_used_at"]) == (None, None)
    rotated = staff("post", f"api-keys/{made['id']}/rotate/", {"overlap_seconds": 3600})
    assert (rotated.status_code, rotated["Cache-Control"]) == (200, "no-store")
    assert rotated.json()["previous_until"] > rotated.json()["created_at"]
    assert authenticate_key(made["api_key"]) == authenticate_key(rotated.data["api_key"])
    shown = staff("get", f"api-keys/{made['id']}/")
    assert shown.json()["previous_until"] == rotated.json()["previous_until"]
    assert "digest" not in shown.content.decode()
    assert staff("post", f"api-keys/{made['id']}/rotate/").data["previous_until"] is None


def test_what_cannot_be_announced_is_a_503_and_not_done(staff: Caller, settings: Settings) -> None:
    made = staff("post", "api-keys/", {"name": "ci", "scopes": ["endpoints:run"]}).data
    alive = settings.CACHES
    dead = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = alive | {"dead": dead}
    settings.AUTOMATE_API_CACHE = "dead"
    for verb in ("rotate", "revoke"):
        refused = staff("post", f"api-keys/{made['id']}/{verb}/")
        assert (refused.status_code, refused.json()["code"]) == (503, "cache_unavailable")
        assert int(refused["Retry-After"]) > 0
    settings.AUTOMATE_API_CACHE = None
    assert authenticate_key(made["api_key"]) is not None


@pytest.mark.parametrize("overlap", [-1, 604_801, "a day", None, 1.5, 10**30])
def test_an_overlap_that_is_none_is_refused(staff: Caller, overlap: Any) -> None:
    made = staff("post", "api-keys/", {"name": "ci", "scopes": ["endpoints:run"]}).data
    refused = staff("post", f"api-keys/{made['id']}/rotate/", {"overlap_seconds": overlap})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "overlap_seconds")
    assert authenticate_key(made["api_key"]) is not None


def test_a_failed_run_answers_with_its_code_and_its_execution(staff: Caller, upstream: FakeUpstream) -> None:
    statuses = {"status:500": (502, "upstream_failed"), "status:401": (502, "upstream_auth_failed")}
    statuses |= {"status:429:7": (429, "upstream_rate_limited"), "status:400": (502, "upstream_rejected")}
    provider = make_provider(tenant_id="acme", base_url=upstream.url)
    for model, expected in statuses.items():
        client = make_llm_client(tenant_id="acme", provider=provider, model=model)
        endpoint = make_endpoint(tenant_id="acme", llm_client=client)
        answer = staff("post", f"endpoints/{endpoint.pk}/run/", {"input": "x"})
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == expected
        assert answer["Content-Type"] == "application/problem+json"
        assert Execution.objects.get(pk=problem["execution"]).status == "failed"
        assert b"own words" not in answer.content
        if expected[0] == 429:
            assert answer["Retry-After"] == "7"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic", [False, True])
def test_a_failed_run_stays_stored_under_atomic_requests(
    staff: Caller, upstream: FakeUpstream, atomic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic)
    client = make_llm_client(
        tenant_id="acme", model="status:500", provider=make_provider(tenant_id="acme", base_url=upstream.url)
    )
    endpoint = make_endpoint(tenant_id="acme", llm_client=client)
    assert staff("post", f"endpoints/{endpoint.pk}/run/", {"input": "x"}).status_code == 502
    assert Execution.objects.get().status == "failed"


def fill(caller: Caller, count: int) -> None:
    group = Group.objects.create(name=f"group-{uuid4()}")
    for _ in range(count):
        client = make_llm_client(tenant_id="acme", owner=caller.user)
        client.shares.create(group=group)
        endpoint = make_endpoint(tenant_id="acme", llm_client=client)
        endpoint.grants.create(user=caller.user)
        make_prompt_log(caller)
        issue_key(tenant_id="acme", user=caller.user, name="x", scopes=["*"])


@pytest.mark.parametrize(
    "path", ["providers/", "llm-clients/", "endpoints/", "executions/", "prompt-logs/", "api-keys/", "models/"]
)
def test_a_list_takes_at_most_three_queries_whatever_its_length(staff: Caller, path: str) -> None:
    counts = []
    for size in (1, 19):
        fill(staff, size)
        with CaptureQueriesContext(connection) as queries:
            answer = staff("get", path)
        assert answer.status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 3, json.dumps([query["sql"] for query in queries], indent=1)


def test_a_run_takes_five_statements(staff: Caller, upstream: FakeUpstream) -> None:
    """The key, the endpoint, the execution begun, and in one transaction the execution ended and the prompt log."""
    client = make_llm_client(tenant_id="acme", provider=make_provider(tenant_id="acme", base_url=upstream.url))
    endpoint = make_endpoint(tenant_id="acme", llm_client=client)
    with CaptureQueriesContext(connection) as queries:
        assert staff("post", f"endpoints/{endpoint.pk}/run/", {"input": "x"}).status_code == 200
    statements = [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert statements == ["SELECT", "SELECT", "INSERT", "UPDATE", "INSERT"]
