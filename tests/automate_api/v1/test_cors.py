"""Cross-origin requests: whom a view lets in, and who answers where django-cors-headers is installed."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from pytest_django import Settings
from rest_framework import viewsets
from rest_framework.test import APIClient

from automate_api.v1.base import BaseAPIView, CORSMixin
from tests.hosts.guarded.views import APP, OwnOriginsView
from tests.hosts.shop.people import signed_in, with_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.guarded.urls")]

EVIL = "https://app.example.com.evil.example"
MIDDLEWARE = "corsheaders.middleware.CorsMiddleware"


@pytest.fixture(params=["view", "middleware"])
def answering(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Who answers: the view, or django-cors-headers in front of it."""
    if request.param == "middleware":
        settings.MIDDLEWARE = [MIDDLEWARE, *settings.MIDDLEWARE]
    return str(request.param)


def preflight(path: str, origin: str = APP, method: str = "POST") -> Any:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return APIClient().options(path, headers=headers)


def get(path: str, origin: str = APP, client: APIClient | None = None) -> HttpResponse:
    return (client or signed_in()).get(path, headers={"Origin": origin})


def cors(answer: HttpResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.lower().startswith("access-control-")}


@pytest.mark.parametrize("origin", [APP, "http://localhost:5173"])
def test_a_matching_origin_is_echoed_and_caches_are_told(answering: str, origin: str) -> None:
    answer = get("/cross/", origin)
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "origin" in answer.headers["Vary"].lower().split(", ")


@pytest.mark.parametrize(
    "origin", [EVIL, "https://APP.example.com", "http://app.example.com", f"{APP}:8443", f"{APP}/", "null", "*", ""]
)
def test_any_other_origin_is_told_nothing(answering: str, origin: str) -> None:
    for answer in (get("/cross/", origin), preflight("/cross/", origin)):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "origin" in answer.headers["Vary"].lower()


def test_a_preflight_is_answered_before_anybody_is_authenticated(answering: str) -> None:
    answer = preflight("/cross/")
    assert answer.status_code in {200, 204}
    assert answer.content == b""
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert answer.headers["Access-Control-Max-Age"] == "86400"


def test_a_preflight_names_the_methods_that_the_route_has() -> None:
    assert preflight("/cross/").headers["Access-Control-Allow-Methods"] == "GET, POST, HEAD, OPTIONS"


def test_what_a_view_declares_is_what_a_preflight_says() -> None:
    assert cors(preflight("/credentials/")) == {
        "Access-Control-Allow-Origin": APP,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET",
        "Access-Control-Allow-Headers": "x-one",
        "Access-Control-Max-Age": "5",
    }


def test_an_answer_shows_the_headers_that_pages_may_read() -> None:
    assert "ratelimit" in get("/cross/").headers["Access-Control-Expose-Headers"].split(", ")
    assert "Access-Control-Expose-Headers" not in get("/credentials/").headers


def test_an_error_can_be_read_by_the_page_too(answering: str) -> None:
    answer = get("/cross/", client=APIClient())
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, APP)


def test_any_origin_is_let_in_where_the_view_says_so_and_never_with_credentials(answering: str) -> None:
    answer = get("/any-origin/", EVIL, client=APIClient())
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, EVIL)
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert preflight("/any-origin/", EVIL, "GET").headers["Access-Control-Allow-Origin"] == EVIL


def test_origins_may_depend_on_the_request(answering: str) -> None:
    assert "Access-Control-Allow-Origin" in preflight("/own-origins/books/", "https://books.example.com", "GET").headers
    assert "Access-Control-Allow-Origin" not in get("/own-origins/books/", "https://toys.example.com").headers


def test_a_view_without_origins_has_no_preflight() -> None:
    assert preflight("/same-origin/").status_code == 401
    answer = get("/same-origin/")
    assert cors(answer) == {}


def test_options_without_an_origin_are_no_preflight() -> None:
    assert APIClient().options("/cross/").status_code == 401
    assert APIClient().options("/cross/", headers={"Origin": APP}).status_code == 401


@pytest.mark.parametrize("base", [BaseAPIView, viewsets.ViewSet])
def test_any_origin_with_credentials_is_refused_when_the_view_is_made(base: type) -> None:
    view: Any = type("Both", (CORSMixin, base) if base is viewsets.ViewSet else (base,), {"cors_origins": ["*"]})
    arguments: Any = {"actions": {"get": "list"}} if base is viewsets.ViewSet else {}
    view.as_view(**arguments)
    view.cors_allow_credentials = True
    with pytest.raises(ImproperlyConfigured, match="any origin"):
        view.as_view(**arguments)


def test_a_string_of_origins_is_refused_since_its_letters_would_be_the_origins() -> None:
    with pytest.raises(ImproperlyConfigured, match="not a string"):
        BaseAPIView.as_view(cors_origins=APP)


def test_in_the_middleware_methods_and_credentials_are_the_middlewares(settings: Settings) -> None:
    settings.MIDDLEWARE = [MIDDLEWARE, *settings.MIDDLEWARE]
    answer = preflight("/credentials/")
    assert "DELETE" in answer.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in get("/credentials/").headers
    settings.CORS_ALLOW_CREDENTIALS = True
    assert get("/credentials/").headers["Access-Control-Allow-Credentials"] == "true"


def test_in_a_middleware_that_allows_credentials_any_origin_is_no_origin(settings: Settings) -> None:
    settings.MIDDLEWARE = [MIDDLEWARE, *settings.MIDDLEWARE]
    settings.CORS_ALLOW_CREDENTIALS = True
    answer = get("/any-origin/", EVIL, client=APIClient())
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_view_that_cannot_be_asked_by_the_middleware_admits_nobody_there(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def setup(self: OwnOriginsView, request: Any, *args: Any, **kwargs: Any) -> None:
        super(OwnOriginsView, self).setup(request, *args, **kwargs)
        request.user.get_username()

    monkeypatch.setattr(OwnOriginsView, "setup", setup)
    settings.MIDDLEWARE = [MIDDLEWARE, *settings.MIDDLEWARE]
    answer = preflight("/own-origins/app/")
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (200, False)
    assert "The view of /own-origins/app/ cannot say" in caplog.text


def test_nothing_is_doubled_where_the_middleware_answers(settings: Settings) -> None:
    settings.MIDDLEWARE = [MIDDLEWARE, *settings.MIDDLEWARE]
    answer = get("/cross/")
    assert cors(answer) == {"access-control-allow-origin": APP}
    assert answer.headers["Vary"].lower().split(", ").count("origin") == 1


def test_the_middleware_leaves_views_to_themselves_whose_paths_it_is_not_for(settings: Settings) -> None:
    settings.MIDDLEWARE = [MIDDLEWARE, *settings.MIDDLEWARE]
    settings.CORS_URLS_REGEX = r"^/elsewhere/"
    assert get("/cross/").headers["Access-Control-Allow-Origin"] == APP
    assert get("/cross/", EVIL).headers["Vary"]
    assert cors(get("/cross/", EVIL)) == {}


def test_the_middleware_goes_on_admitting_its_own_origins(settings: Settings) -> None:
    settings.MIDDLEWARE = [MIDDLEWARE, *settings.MIDDLEWARE]
    settings.CORS_ALLOWED_ORIGINS = ["https://intranet.example.com"]
    assert get("/same-origin/", "https://intranet.example.com").status_code == 200
    assert "Access-Control-Allow-Origin" in get("/cross/", "https://intranet.example.com").headers


def test_a_path_that_leads_nowhere_admits_nobody(settings: Settings) -> None:
    settings.MIDDLEWARE = [MIDDLEWARE, *settings.MIDDLEWARE]
    assert "Access-Control-Allow-Origin" not in get("/nowhere/").headers


def test_a_key_works_across_origins(answering: str) -> None:
    answer = get("/cross/", client=with_key())
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, APP)
