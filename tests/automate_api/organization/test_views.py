"""The organization routes: whose organization, what they answer, and in which form they refuse."""

import zipfile
from io import BytesIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.urls import path
from django.utils import timezone
from pytest_django import Settings

from automate_api.models import PromptLog
from automate_api.organization.views import ModelsView, PromptLogsView
from automate_api.services.prompt_archive import MAX_AGE
from tests.automate_api.organization.fixtures import LOGS, MODELS, SIGN_IN, Person, ask, person, told
from tests.factories import make_llm_client, make_prompt_log, make_provider, make_user
from tests.prompt_logs import make_prompt_logs

pytestmark = pytest.mark.django_db

PREFIX = "prompt_log_prefix"


class OpenModelsView(ModelsView):
    """A host's, that lets some act elsewhere."""

    def may_use_organization(self, organization: str) -> bool:
        return organization == "globex"


class OwnPromptLogsView(PromptLogsView):
    """A host's, that asks the database."""

    def may_read_log(self, log: PromptLog) -> bool:
        return bool(log.execution.user_id == self.request.user.pk)


urlpatterns = [
    path("v1/<slug:organization>/admin/get_models/", OpenModelsView.as_view()),
    path("v1/<slug:organization>/admin/get_prompt_logs/", OwnPromptLogsView.as_view()),
]


def entries(response: Any) -> list[str]:
    with zipfile.ZipFile(BytesIO(response.getvalue())) as opened:
        assert opened.testzip() is None
        return opened.namelist()


def download(caller: Person, prefix: str, **headers: str) -> Any:
    return ask(LOGS, query={PREFIX: prefix}, **caller.bearer, **headers)


# -- organizations and scopes ----------------------------------------------------------------------------------------


def test_another_organization_is_refused_whether_there_is_one_or_not() -> None:
    ann = person(is_staff=True)
    person("globex", is_staff=True)
    for route, query in ((MODELS, {}), (LOGS, {PREFIX: "a"})):
        answers = [
            ask(route, organization=organization, query=query, **ann.bearer, **named)
            for organization in ("globex", "nowhere", "ACME", "acme-", "default")
            for named in ({}, {"X-ORG-ID": "acme"})
        ]
        assert {told(answer) for answer in answers} == {(403, "permission_denied")}
        assert {answer.content for answer in answers} == {answers[0].content}


def test_a_host_may_let_a_caller_act_in_another_organization(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    make_provider(tenant_id="globex", default_model="theirs")
    ann = person()
    headers = {**person("acme", "Admin:GetModels", user=ann.key.user).bearer, "X-ORG-ID": "acme"}
    answer = ask(MODELS, organization="globex", **headers)
    assert [model["name"] for model in answer.json()["models"]] == ["theirs"]
    assert told(ask(MODELS, organization="initech", **headers)) == (403, "permission_denied")


@pytest.mark.parametrize(
    ("scopes", "is_staff", "models", "logs"),
    [
        (["*"], True, 200, 404),
        (["*"], False, 403, 404),
        (["Admin:GetModels"], False, 200, 403),
        (["prompt-logs:read"], True, 403, 404),
        (["models:read", "prompt-logs:write"], True, 403, 403),
    ],
)
def test_a_token_may_do_what_its_key_may(scopes: list[str], is_staff: bool, models: int, logs: int) -> None:
    caller = person("acme", *scopes, is_staff=is_staff)
    assert ask(MODELS, **caller.bearer).status_code == models
    assert download(caller, "a").status_code == logs


def test_each_user_may_ask_twenty_times_a_minute_of_each_route() -> None:
    ann, bob = person(is_staff=True), person(is_staff=True)
    other_key = person(user=ann.key.user)
    headers = ann.bearer
    assert {ask(MODELS, **headers).status_code for _ in range(19)} == {200}
    assert ask(MODELS, **other_key.bearer).status_code == 200
    limited = ask(MODELS, **headers)
    assert told(limited) == (429, "rate_limited")
    assert 1 <= int(limited.headers["Retry-After"]) <= 60
    assert download(ann, "a").status_code == 404
    assert ask(MODELS, **bob.bearer).status_code == 200


# -- what they answer ------------------------------------------------------------------------------------------------


def test_models_are_listed_by_name_each_once(django_assert_num_queries: Any) -> None:
    staff = person(is_staff=True)
    providers = [make_provider(tenant_id="acme", default_model=name) for name in ("large", "small", "small")]
    make_provider(tenant_id="acme", default_model="off", enabled=False)
    make_provider(tenant_id="globex", default_model="theirs")
    make_llm_client(tenant_id="acme", provider=providers[0], model="medium")
    headers = staff.bearer
    with django_assert_num_queries(4):  # maintenance, key and user, providers, clients
        answer = ask(MODELS, **headers)
    assert [model["name"] for model in answer.json()["models"]] == ["large", "medium", "small"]
    assert all(set(model) == {"name", "params_model_schema"} for model in answer.json()["models"])
    assert "temperature" in answer.json()["models"][0]["params_model_schema"]["properties"]


def test_logs_are_those_of_the_organization_and_one_that_may_not_be_read_says_so() -> None:
    ann, bob, staff = person(), person(), person(is_staff=True)
    make_prompt_log(tenant_id="acme", log_key="a-ann", user=ann.key.user)
    make_prompt_log(tenant_id="acme", log_key="a-bob", user=bob.key.user)
    make_prompt_log(tenant_id="acme", log_key="a-nobody")
    make_prompt_log(tenant_id="acme", log_key="A-ann", user=ann.key.user)
    make_prompt_log(tenant_id="acme", log_key="a-old", user=ann.key.user, created_at=timezone.now() - MAX_AGE * 1.01)
    make_prompt_log(tenant_id="globex", log_key="a-away", user=ann.key.user)
    assert entries(download(ann, "a-")) == ["a-ann-system", "a-ann-history", "a-bob-error", "a-nobody-error"]
    assert {name.rpartition("-")[2] for name in entries(download(staff, "a-"))} == {"system", "history"}
    assert len(entries(download(staff, "a-"))) == 6
    away, absent = (download(ann, prefix) for prefix in ("a-away", "a-nothere"))
    assert told(away) == (404, "not_found")
    assert away.content == absent.content


def test_a_host_says_who_may_read_which_log(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    staff = person(is_staff=True)
    make_prompt_log(tenant_id="acme", log_key="a-1", user=staff.key.user)
    make_prompt_log(tenant_id="acme", log_key="a-2", user=make_user())
    assert entries(download(staff, "a")) == ["a-1-system", "a-1-history", "a-2-error"]


@pytest.mark.parametrize("accept", ["application/zip", "*/*", "application/json", "text/html"])
def test_the_archive_comes_whatever_is_accepted(accept: str) -> None:
    caller = person()
    make_prompt_log(tenant_id="acme", log_key="a", user=caller.key.user)
    answer = download(caller, "a", Accept=accept)
    assert entries(answer) == ["a-system", "a-history"]
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert told(download(caller, "b", Accept=accept)) == (404, "not_found")


def test_under_asgi_it_is_the_same_file() -> None:
    caller = person(is_staff=True)
    make_prompt_logs(20, size=30_000, tenant_id="acme")
    headers = caller.bearer

    async def request() -> bytes:
        response: Any = await AsyncClient().get(f"/v1/acme/{LOGS}", {PREFIX: "log"}, headers=headers)
        return b"".join([page async for page in response.streaming_content])

    assert async_to_sync(request)() == download(caller, "log").getvalue()


# -- how they refuse -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 422, "unprocessable"),
        (f"?{PREFIX}=", 422, "unprocessable"),
        (f"?{PREFIX}=log-", 422, "unprocessable"),
        (f"?{PREFIX}=log-9", 404, "not_found"),
        (f"?{PREFIX}=%00", 400, "invalid_input"),
        (f"?{PREFIX}=%25", 404, "not_found"),
        (f"?{PREFIX}=_og", 404, "not_found"),
        (f"?{PREFIX}=%ED%A0%80", 404, "not_found"),
        (f"?{PREFIX}=" + "x" * 5000, 404, "not_found"),
        ("?prefix=log-", 400, "invalid_input"),
    ],
)
def test_what_chooses_nothing_or_too_much_is_refused(query: str, status: int, code: str) -> None:
    caller = person(is_staff=True)
    make_prompt_logs(1001, size=10, tenant_id="acme")
    answer = ask(f"{LOGS}{query}", **caller.bearer)
    assert told(answer) == (status, code)
    if code == "invalid_input":
        assert f"{'prefix' if query.startswith('?prefix') else PREFIX}: " in answer.json()["detail"]


ROUTES = {SIGN_IN: "POST", MODELS: "GET", LOGS: "GET"}


@pytest.mark.parametrize("wrong", [
    f"{SIGN_IN}/", MODELS[:-1], LOGS[:-1], f"{MODELS}/", "admin//get_models/", "admin/", "admin", "user", "user/",
    "admin/get_models/x", f"{LOGS}%0a", "admin/get_models%0a", "user/signin_with_api_key.json", "admin/../x",
])  # fmt: skip
def test_a_slash_too_few_or_too_many_is_a_404_and_never_a_redirect(wrong: str, settings: Settings) -> None:
    assert "django.middleware.common.CommonMiddleware" in settings.MIDDLEWARE
    assert settings.APPEND_SLASH
    caller = person(is_staff=True)
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        for debug in (False, True):
            settings.DEBUG = debug
            answer = ask(wrong, method=method, **caller.bearer, **caller.claims)
            assert answer.status_code == 404
            if method != "HEAD":
                assert told(answer) == (404, "not_found")


def test_no_route_ever_redirects(settings: Settings) -> None:
    for organization in ("acme", "a.b", "%20", "acme/", "/"):
        for route in [*ROUTES, "", "x", f"{MODELS}x"]:
            for end in ("", "/"):
                answer = Client().get(f"/v1/{organization}/{route.rstrip('/')}{end}")
                assert answer.status_code in {401, 404, 405}, (organization, route, end)


def test_a_method_that_a_route_has_not_is_405(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False
    caller = person(is_staff=True)
    for route, own in ROUTES.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"} - {own}:
            answer = ask(route, method=method, **caller.bearer)
            assert told(answer) == (405, "method_not_allowed"), (route, method)
            assert own in answer.headers["Allow"]


def test_an_idempotency_key_is_ignored_and_no_token_is_stored() -> None:
    caller = person()
    headers = {**caller.claims, "Idempotency-Key": "again"}
    first, second = (ask(SIGN_IN, method="POST", **headers).json() for _ in range(2))
    assert first["id_token"] != second["id_token"]


def test_a_fault_is_a_500_in_this_form_and_its_log_has_no_credentials(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caller = person(is_staff=True)

    def fail(**given: Any) -> None:
        raise RuntimeError(str(given))

    monkeypatch.setattr("automate_api.organization.views.sign_in", fail)
    answer = ask(SIGN_IN, method="POST", **caller.claims)
    assert told(answer) == (500, "internal_error")
    assert "RuntimeError" in caplog.text
    assert caller.text not in caplog.text + answer.content.decode()


def test_every_answer_has_a_correlation_id() -> None:
    caller = person(is_staff=True)
    for answer in (
        ask(MODELS, **caller.bearer, **{"X-Correlation-ID": "order-7"}),
        ask(MODELS, **{"X-Correlation-ID": "order-7"}),
        ask("admin", **{"X-Correlation-ID": "order-7"}),
    ):
        assert answer.headers["X-Correlation-ID"] == "order-7"
