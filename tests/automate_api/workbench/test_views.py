"""The workbench's routes as its front ends call them."""

import re
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from automate_api.models import LLMClient
from automate_api.services.llm_clients import delete_llm_client, share_llm_client
from automate_api.workbench import views
from tests.factories import make_actor, make_endpoint, make_llm_client, make_provider, make_user
from tests.hosts.shop.people import signed_in, with_key

pytestmark = pytest.mark.django_db

ROUTE = "/workbench/api/listview/"
PROVIDERS = "/dashboard/passthrough/api/providers/"


@pytest.fixture
def user() -> Any:
    return make_user(username="ann", email="ann@example.com")


@pytest.fixture
def api(user: Any) -> APIClient:
    return with_key(user=user)


def listed(api: APIClient, path: str = "", **query: Any) -> Any:
    """What the list answers."""
    answer = api.post(f"{ROUTE}{path}", query_params=query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def names(api: APIClient, path: str = "", **query: Any) -> list[str]:
    return [shown["name"] for shown in listed(api, path, **query)["objects"]]


# -- the list ---------------------------------------------------------------------------------------------------------


def test_the_list_says_who_asks_whom_to_ask_and_what_there_is(api: APIClient, user: Any) -> None:
    make_user(is_staff=True, is_active=False)
    make_user(username="boss", email="boss@example.com", is_staff=True)
    make_user(is_staff=True)
    parameters, tools = {"top_p": 0.5, "stop_words": [{"a_b": 1}]}, [{"type": "function", "function": {"name": "a_b"}}]
    client = make_llm_client(
        owner=user, name="Poet", system_prompt="Rhyme.", temperature=0.5, max_tokens=7, model="large", tools=tools,
        parameters=parameters,
    )  # fmt: skip
    answer = listed(api)
    account = {"accountNumber": "default"}
    assert answer["user"] == {"user": {"username": "ann", "email": "ann@example.com"}, "account": account}
    assert answer["admin"] == {"user": {"username": "boss", "email": None}, "account": account}
    assert [answer[name] for name in ("page", "pageSize", "count")] == [1, 25, 1]
    [shown] = answer["objects"]
    moments = {shown.pop("createdAt"), shown.pop("updatedAt")}
    assert [one for one in moments if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+-0[56]:00", one)] == []
    assert shown == {
        "id": client.pk,
        "name": "Poet",
        "slug": client.slug,
        "description": "",
        "provider": {"id": client.provider_id, "name": client.provider.name},
        "model": "large",
        "systemPrompt": "Rhyme.",
        "temperature": 0.5,
        "maxTokens": 7,
        "parameters": parameters,
        "tools": tools,
        "isOwner": True,
        "canManage": True,
        "ownerId": user.pk,
        "sharing": {"tenant": False, "users": [], "groups": []},
        "version": 1,
    }


def test_the_administrators_address_is_for_staff() -> None:
    make_user(username="boss", email="boss@example.com", is_staff=True)
    assert listed(with_key(is_staff=True))["admin"]["user"] == {"username": "boss", "email": "boss@example.com"}


def test_where_there_is_no_administrator_there_are_nulls(api: APIClient) -> None:
    make_user(is_staff=True, is_active=False)
    assert listed(api)["admin"] == {"user": {"username": None, "email": None}, "account": {"accountNumber": "default"}}


def test_an_idempotency_key_keeps_no_list_as_it_was(api: APIClient, user: Any) -> None:
    before = []
    for route, key in ((ROUTE, "objects"), (PROVIDERS, "providers")):
        for _ in range(2):
            answer = api.post(route, headers={"Idempotency-Key": "k"})
            assert "Idempotent-Replayed" not in answer.headers
            before.append(len(answer.json()[key]))
            make_llm_client(owner=user)
    assert before == [0, 1, 2, 3]


def test_whoever_has_no_tenant_sees_nothing(settings: Settings, user: Any) -> None:
    settings.AUTOMATE_API_TENANT_RESOLVER = "tests.hosts.shop.people.tenant_of_header"
    make_user(is_staff=True)
    make_llm_client(owner=user)
    answer = listed(signed_in(user=user))
    assert (answer["objects"], answer["count"]) == ([], 0)
    assert answer["admin"] == {"user": {"username": None, "email": None}, "account": {"accountNumber": None}}


def test_it_lists_all_ones_own_or_what_is_shared(api: APIClient, user: Any) -> None:
    mine, _hidden = make_llm_client(owner=user, name="mine"), make_llm_client(name="hidden")
    group = Group.objects.create(name="team")
    group.user_set.add(user)
    shared = {
        "everybody": make_llm_client(name="everybody", shared_with_tenant=True),
        "me": make_llm_client(name="me"),
        "us": make_llm_client(name="us"),
        "gone": make_llm_client(name="gone", shared_with_tenant=True),
    }
    share_llm_client(shared["me"], actor=make_actor(is_staff=True), users=[user])
    share_llm_client(shared["us"], actor=make_actor(is_staff=True), groups=[group])
    delete_llm_client(shared["gone"], actor=make_actor(is_staff=True))
    make_llm_client(tenant_id="globex", owner=user, shared_with_tenant=True)
    assert sorted(names(api)) == sorted(names(api, "all/")) == ["everybody", "me", "mine", "us"]
    assert names(api, "owned/") == ["mine"]
    assert sorted(names(api, "shared/")) == ["everybody", "me", "us"]
    assert listed(api, "shared/")["count"] == 3
    staff = with_key(is_staff=True)
    assert sorted(names(staff)) == ["everybody", "hidden", "me", "mine", "us"]
    assert names(staff, "owned/") == []
    shown = {one["name"]: one for one in listed(api)["objects"]}
    assert [shown[name]["canManage"] for name in ("mine", "me")] == [True, False]
    assert [shown[name]["sharing"] is None for name in ("mine", "me")] == [False, True]
    assert shown["mine"]["ownerId"] == mine.owner_id


def test_every_one_is_on_one_page_also_beyond_the_first(api: APIClient, user: Any) -> None:
    provider = make_provider()
    made = [make_llm_client(owner=user, provider=provider).pk for _ in range(31)]
    # All tied: only the id tells them apart.
    LLMClient.objects.update(updated_at="2026-01-01T00:00:00Z")
    pages = [listed(api, page=page, page_size=10) for page in (1, 2, 3, 4)]
    assert [shown["id"] for page in pages for shown in page["objects"]] == sorted(made, reverse=True)
    assert [(page["page"], page["pageSize"], page["count"]) for page in pages] == [(n, 10, 31) for n in (1, 2, 3, 4)]
    assert len(listed(api)["objects"]) == views.DEFAULT_PAGE_SIZE == 25
    assert len(listed(api, page_size=200)["objects"]) == 31
    LLMClient.objects.filter(pk=made[0]).update(updated_at="2026-01-02T00:00:00Z")
    assert listed(api, page_size=1)["objects"][0]["id"] == made[0]


def test_a_page_past_the_end_is_refused_but_the_first_is_always_there(api: APIClient, user: Any) -> None:
    assert listed(api)["objects"] == []
    make_llm_client(owner=user)
    for page in (2, 10**9):
        answer = api.post(ROUTE, query_params={"page": page})
        assert answer.status_code == 400
        assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("page", "out_of_range")]


@pytest.mark.parametrize("name", ["page", "page_size"])
@pytest.mark.parametrize(
    "value",
    ["abc", "0", "-5", "1e9", "1.0", "", " 1", "+1", "01", "1_0", "%00", "%D9%A1", "1%0a", "9" * 5000, "1&{}=1"],
)
def test_a_number_that_is_none_is_refused(api: APIClient, name: str, value: str) -> None:
    answer = api.post(f"{ROUTE}?{name}={value.format(name)}")
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {name}
    assert answer.json()["error"].startswith(f"{name}: ")


@pytest.mark.parametrize("query", ["page_size=201", "page_size=1000000000", "page=1000000001", "invalidate_cache=yes"])
def test_what_is_out_of_range_is_refused(api: APIClient, query: str) -> None:
    assert api.post(f"{ROUTE}?{query}").status_code == 400


def test_what_nobody_knows_is_refused(api: APIClient) -> None:
    for path in ("", "all/"):
        assert api.post(f"{ROUTE}{path}?ordering=name").json()["errors"][0]["code"] == "unknown_parameter"
    for path in ("mine/", "clone/", "All/", "owned%20/"):
        assert api.post(f"{ROUTE}{path}").status_code == 404
    assert api.get(ROUTE).status_code == 405
    assert api.get(ROUTE).json()["error"] == api.get(ROUTE).json()["detail"]


def test_the_list_costs_as_many_queries_however_long_it_is(
    api: APIClient, user: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_llm_client(owner=user, shared_with_tenant=True)
    # Key, count, page, shares, administrator.
    with django_assert_num_queries(5):
        listed(api)
    for _ in range(19):
        share_llm_client(make_llm_client(owner=user), actor=make_actor(is_staff=True), users=[user])
    with django_assert_num_queries(5):
        assert listed(api)["count"] == 20


# -- one of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["clone", "rename"])
@pytest.mark.parametrize(
    "name",
    ["Poet two", "a/b", "/a", "ümlaut 詩人 👩‍🚀", "a?b#c&d=e", "100%", "n" * 200, "line\nbreak", "..", "a\u202eb"],
)
def test_a_name_may_be_anything_that_people_call_something(api: APIClient, user: Any, verb: str, name: str) -> None:
    for path in (f"{quote(name, safe='')}/", f"?new_name={quote(name, safe='')}", f"?new_name={quote(name)}/"):
        client = make_llm_client(owner=user)
        answer = api.post(f"{ROUTE}{verb}/{client.pk}/{path}")
        assert answer.status_code == 200, answer.content
        shown = answer.json()
        assert (shown["name"], shown["ownerId"], shown["systemPrompt"]) == (name, user.pk, "")
        assert (shown["id"] == client.pk) == (verb == "rename")
        LLMClient.objects.get(pk=shown["id"]).delete()


@pytest.mark.parametrize("verb", ["clone", "rename"])
@pytest.mark.parametrize(
    "path",
    [
        "",
        "?new_name=",
        "?new_name=/",
        "/",
        "%20/",
        "?new_name=%20",
        f"{'n' * 201}/",
        f"?new_name={'n' * 201}",
        "?new_name=a%00",
        "?new_name=a&new_name=b",
        "a/?new_name=b",
        "?name=a",
        "a/?x=1",
    ],
)
def test_a_name_that_is_none_is_refused(api: APIClient, user: Any, verb: str, path: str) -> None:
    client = make_llm_client(owner=user, name="Poet")
    answer = api.post(f"{ROUTE}{verb}/{client.pk}/{path}")
    assert answer.status_code == 400
    assert isinstance(answer.json()["error"], str)
    assert list(LLMClient.objects.values_list("name", flat=True)) == ["Poet"]


def test_a_copy_is_the_callers_and_a_clash_a_conflict(api: APIClient, user: Any) -> None:
    theirs = make_llm_client(shared_with_tenant=True, system_prompt="Rhyme.", name="Poet", slug="poet")
    copy = api.post(f"{ROUTE}clone/{theirs.pk}/Poet/").json()
    assert (copy["slug"], copy["isOwner"], copy["sharing"]["tenant"]) == ("poet-2", True, False)
    clash = api.post(f"{ROUTE}clone/{theirs.pk}/Poet/")
    assert (clash.status_code, clash.json()["error"]) == (409, clash.json()["detail"])


def test_only_who_manages_it_renames_and_deletes_it(api: APIClient, user: Any) -> None:
    theirs, mine = make_llm_client(shared_with_tenant=True), make_llm_client(owner=user)
    for verb in ("rename/{}/New/", "delete/{}/"):
        assert api.post(ROUTE + verb.format(theirs.pk)).status_code == 403
        assert api.post(ROUTE + verb.format(mine.pk)).status_code == 200
    assert with_key(is_staff=True).post(f"{ROUTE}delete/{theirs.pk}/").json() == {
        "message": "The LLM client was deleted."
    }
    assert api.post(f"{ROUTE}delete/{theirs.pk}/").status_code == 404
    assert set(LLMClient.objects.filter(deleted_at=None)) == set()


def test_one_that_an_endpoint_uses_is_not_deleted(api: APIClient, user: Any) -> None:
    used = make_llm_client(owner=user)
    make_endpoint(llm_client=used)
    answer = api.post(f"{ROUTE}delete/{used.pk}/")
    assert (answer.status_code, answer.json()["error"]) == (409, "An endpoint uses this LLM client.")


@pytest.mark.parametrize(
    "key", ["0", "01", "-1", "1.0", str(2**63), str(2**64), "9" * 400, "9" * 5000, "abc", "%D9%A1"]
)
def test_an_id_that_is_none_is_not_found(api: APIClient, user: Any, key: str) -> None:
    make_llm_client(owner=user, pk=1)
    answers = [
        api.post(f"{ROUTE}{verb}") for verb in (f"clone/{key}/a/", f"rename/{key}/?new_name=a", f"delete/{key}/")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["error"] for answer in answers} == {"There is no such object."}


def test_a_host_may_route_the_views_with_integers_of_djangos(user: Any) -> None:
    request = APIRequestFactory().post("/")
    force_authenticate(request, user)
    client = make_llm_client(owner=user)
    answer = views.PromptListApiRenameView.as_view()(request, llm_client_id=client.pk, new_name="New")
    assert answer.data["name"] == "New"
    assert views.PromptListApiView.as_view()(request, ownership_filter="owned").data["count"] == 1


# -- who is asking ----------------------------------------------------------------------------------------------------


PATHS = [ROUTE, f"{ROUTE}owned/?page=1", f"{ROUTE}delete/1/", f"{ROUTE}clone/1/a%2Fb/", PROVIDERS]


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_is_sent_to_sign_in_and_a_program_is_told(path: str, settings: Settings) -> None:
    settings.LOGIN_URL = "/sign-in/?theme=dark"
    browser = Client().post(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert browser.status_code == 302
    assert browser["Location"] == f"/sign-in/?theme=dark&next={quote(unquote(path))}"
    assert browser["Cache-Control"] == "no-store"
    for accept in (
        "*/*",
        "application/json",
        "application/json, text/html;q=0.9",
        "text/html;q=0",
        "image/png",
        "x",
        "",
    ):
        answer = Client().post(path, headers={"Accept": accept})
        assert (answer.status_code, bool(answer["WWW-Authenticate"])) == (401, True), accept
    answer = Client().post(path)
    assert (answer.status_code, answer.json()["error"]) == (401, answer.json()["detail"])
    assert answer["WWW-Authenticate"]
    bad = Client().post(path, headers={"Accept": "text/html", "X-API-Key": "aak_wrong"})
    assert bad.status_code == 401


def test_where_to_go_after_signing_in_is_on_this_host(settings: Settings) -> None:
    settings.LOGIN_URL = "https://sign-in.example/"
    for path in (f"//evil.example{ROUTE}", f"{ROUTE}?next=https://evil.example/"):
        answer = Client().generic("POST", path, headers={"Accept": "text/html"})
        if answer.status_code == 302:
            assert answer["Location"].startswith("https://sign-in.example/?next=/workbench/")


def test_who_is_signed_in_gets_json_whatever_a_browser_asks_for(api: APIClient) -> None:
    for accept in ("text/html", "text/html,application/xml;q=0.9"):
        answer = api.post(ROUTE, headers={"Accept": accept})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert api.post(ROUTE, headers={"Accept": "image/png"}).status_code == 406


def test_a_session_needs_a_csrf_token(user: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.post(ROUTE, {}, "application/json").status_code == 403
    client.cookies["csrftoken"] = token = "t" * 32
    assert client.post(ROUTE, {}, "application/json", headers={"X-CSRFToken": token}).status_code == 200


def test_a_key_needs_the_scope_of_what_is_done(user: Any) -> None:
    client = make_llm_client(owner=user)
    reader, writer = with_key(user=user, scopes=["llm-clients:read"]), with_key(user=user, scopes=["llm-clients:write"])
    assert [one.post(ROUTE).status_code for one in (reader, writer)] == [200, 403]
    rename = f"{ROUTE}rename/{client.pk}/New/"
    assert [one.post(rename).status_code for one in (reader, writer)] == [403, 200]
    assert [one.post(PROVIDERS).status_code for one in (reader, with_key(scopes=["providers:read"]))] == [403, 200]


def test_a_clone_that_is_sent_twice_is_made_once(api: APIClient, user: Any) -> None:
    client = make_llm_client(owner=user)
    answers = [api.post(f"{ROUTE}clone/{client.pk}/Two/", headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.json() for answer in answers] == [answers[0].json()] * 2
    assert LLMClient.objects.count() == 2


# -- providers --------------------------------------------------------------------------------------------------------


def test_the_providers_that_are_switched_on_are_offered_and_never_kept(api: APIClient) -> None:
    assert reverse("api_providers") == PROVIDERS
    answer = api.post(PROVIDERS)
    assert (answer.json(), answer["Cache-Control"]) == ({"providers": []}, "no-store")
    second, first = make_provider(name="B"), make_provider(name="A", base_url="https://a.example/v1")
    make_provider(enabled=False)
    make_provider(tenant_id="globex")
    assert api.post(PROVIDERS).json() == {
        "providers": [
            {"id": first.pk, "name": "A", "base_url": "https://a.example/v1"},
            {"id": second.pk, "name": "B", "base_url": "https://model.example/v1"},
        ]
    }


def test_what_front_ends_and_hosts_import_is_there() -> None:
    assert get_user_model()
    assert {"PromptListApiView", "ProviderMiniSerializer", "DEFAULT_PAGE_SIZE"} <= set(views.__all__)
    assert views.PromptListApiView.DEFAULT_PAGE_SIZE == 25
