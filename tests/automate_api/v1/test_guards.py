"""The base views' guards: who is let in, and that nothing in a subclass lets more in."""

import pytest
from django.http import HttpResponse
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.factories import make_user
from tests.hosts.shop.models import Item
from tests.hosts.shop.people import basic_authorization, signed_in, with_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.shop.urls")]


def test_without_credentials_the_answer_is_401_with_a_challenge() -> None:
    answer = APIClient().get("/items/")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("path", ["/opened/", "/opened/extra/", "/staff-items/", "/staff-items/extra/"])
def test_permission_classes_and_get_permissions_cannot_open_a_view_to_anonymous_callers(path: str) -> None:
    assert APIClient().get(path).status_code == 401


def test_a_session_is_let_in() -> None:
    assert signed_in().get("/items/").status_code == 200


def test_a_session_needs_the_csrf_token_to_change_anything() -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(make_user())
    answer = client.post("/items/", {"name": "x"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert not Item.objects.exists()


@pytest.mark.parametrize(
    ("scopes", "method", "path", "status"),
    [
        (["*"], "get", "/items/", 200),
        (["items:read"], "get", "/items/", 200),
        (["items:read"], "head", "/items/", 200),
        (["items:write"], "get", "/items/", 403),
        (["items:run"], "get", "/items/", 403),
        (["tasks:read"], "get", "/items/", 403),
        (["items:write"], "post", "/items/", 201),
        (["items:read", "items:run"], "post", "/items/", 403),
        (["items:run"], "post", "/items/1/run/", 404),
        (["items:read", "items:write"], "post", "/items/1/run/", 403),
        (["items:run"], "post", "/items-by-hand/1/run/", 404),
        (["items:write"], "post", "/items-by-hand/1/run/", 403),
        (["echo:run"], "get", "/echo/", 200),
        (["echo:read"], "get", "/echo/", 403),
        (["*"], "get", "/opened/", 200),
        (["opened:read", "items:read"], "get", "/opened/", 403),
    ],
)
def test_a_key_does_what_its_scopes_name(scopes: list[str], method: str, path: str, status: int) -> None:
    send = getattr(with_key(scopes=scopes), method)
    answer: HttpResponse = send(path) if method != "post" else send(path, {"name": "x"}, format="json")
    assert answer.status_code == status


def test_a_session_is_not_narrowed_by_scopes() -> None:
    assert signed_in().get("/opened/").status_code == 200


def test_staff_actions_are_for_staff() -> None:
    item = Item.objects.create(name="x")
    assert signed_in().delete(f"/items/{item.pk}/").status_code == 403
    assert signed_in().get("/items/count_all/").status_code == 403
    assert signed_in(is_staff=True).get("/items/count_all/").status_code == 200
    assert signed_in(is_staff=True).delete(f"/items/{item.pk}/").status_code == 204


def test_a_staff_users_key_is_still_narrowed_to_its_scopes() -> None:
    item = Item.objects.create(name="x")
    assert with_key(scopes=["items:read"], is_staff=True).delete(f"/items/{item.pk}/").status_code == 403


@pytest.mark.parametrize("path", ["/staff-items/", "/staff-items/extra/"])
def test_a_staff_only_view_is_for_staff_whatever_its_permissions_say(path: str) -> None:
    assert signed_in().get(path).status_code == 403
    assert signed_in(is_staff=True).get(path).status_code == 200


def test_a_superuser_who_is_not_staff_is_not_staff() -> None:
    assert signed_in(user=make_user(is_superuser=True)).get("/staff-items/").status_code == 403


def test_a_staff_only_base_can_filter_on_super() -> None:
    Item.objects.create(name="mine")
    Item.objects.create(name="other")
    assert signed_in(is_staff=True).get("/staff-items/").json() == ["mine"]


@pytest.mark.parametrize("path", ["/plain-staff/", "/plain-staff/extra/"])
def test_staff_only_guards_a_plain_view_too(path: str) -> None:
    client = APIClient()
    assert client.get(path).status_code == 401
    client.credentials(HTTP_AUTHORIZATION=basic_authorization(make_user()))
    assert client.get(path).status_code == 403
    client.credentials(HTTP_AUTHORIZATION=basic_authorization(make_user(is_staff=True)))
    assert client.get(path).status_code == 200


def test_a_subclass_permissions_come_after_the_guards_and_add_to_them() -> None:
    assert signed_in().get("/items/", headers={"X-Monday": "yes"}).json()["code"] == "monday"
    assert APIClient().get("/items/", headers={"X-Monday": "yes"}).json()["code"] == "not_authenticated"
    narrowed = with_key(scopes=["tasks:read"]).get("/items/", headers={"X-Monday": "yes"})
    assert narrowed.json()["code"] == "permission_denied"


def test_action_keywords_do_not_take_a_guard_away() -> None:
    assert APIClient().get("/items/count_all/").status_code == 401
    assert APIClient().get("/opened/extra/").status_code == 401


def test_the_authenticators_are_read_from_the_setting_live(settings: Settings) -> None:
    user = make_user()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=basic_authorization(user))
    assert client.get("/items/").status_code == 401
    settings.AUTOMATE_API_AUTHENTICATION_CLASSES = ["rest_framework.authentication.BasicAuthentication"]
    assert client.get("/items/").status_code == 200
    assert APIClient().get("/items/").headers["WWW-Authenticate"] == 'Basic realm="api"'


def test_a_401_has_a_challenge_where_only_sessions_are_configured(settings: Settings) -> None:
    settings.AUTOMATE_API_AUTHENTICATION_CLASSES = ["rest_framework.authentication.SessionAuthentication"]
    answer = APIClient().get("/items/")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"]


def test_a_subclass_may_bring_its_own_authenticators() -> None:
    user = make_user()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=basic_authorization(user))
    assert client.get("/basic/").json() == {"user": user.username}
    assert with_key().get("/basic/").status_code == 401


def test_options_tells_nothing() -> None:
    assert APIClient().options("/items/").status_code == 401
    answer = signed_in().options("/items/")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_the_hosts_rest_framework_settings_change_nothing(settings: Settings) -> None:
    settings.REST_FRAMEWORK = {
        "EXCEPTION_HANDLER": "rest_framework.views.exception_handler",
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PAGINATION_CLASS": None,
        "URL_FORMAT_OVERRIDE": "format",
        "FORMAT_SUFFIX_KWARG": "format",
    }
    answer = APIClient().get("/items/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
    assert set(signed_in().get("/items/").json()) == {"next", "previous", "results"}
    assert signed_in().get("/items/?format=json").status_code == 400
