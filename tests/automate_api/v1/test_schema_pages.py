"""`schema/`, `docs/` and `redoc/`: for whom, in what form, and from where."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.contrib.staticfiles import finders
from django.utils import translation
from pytest_django import Settings
from rest_framework.test import APIClient

from automate_api.v1.schema import SchemaGenerator
from automate_api.v1.views import schema as views
from tests.hosts.shop.people import signed_in, with_key

pytestmark = pytest.mark.django_db

PAGES = ["/api/v1/docs/", "/api/v1/redoc/"]
PATHS = ["/api/v1/schema/", *PAGES]


@pytest.fixture(autouse=True)
def _nothing_cached() -> None:
    views.cache.clear()


@pytest.mark.parametrize("path", PATHS)
def test_the_schema_is_for_whoever_is_signed_in(path: str) -> None:
    answer = APIClient().get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
    assert signed_in().get(path).status_code == 200
    assert with_key(scopes=["items:read"]).get(path).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_public_schema_is_for_all(path: str, settings: Settings) -> None:
    settings.AUTOMATE_API_PUBLIC_SCHEMA = True
    assert APIClient().get(path).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_bad_key_is_refused_even_where_the_schema_is_public(path: str, settings: Settings) -> None:
    settings.AUTOMATE_API_PUBLIC_SCHEMA = True
    assert APIClient().get(path, headers={"X-API-Key": "nonsense"}).status_code == 401


@pytest.mark.parametrize(
    ("accept", "media_type", "read"),
    [
        ("*/*", "application/json", json.loads),
        ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json", json.loads),
        ("application/yaml", "application/yaml", yaml.safe_load),
        ("application/vnd.oai.openapi", "application/vnd.oai.openapi", yaml.safe_load),
    ],
)
def test_the_schema_comes_as_json_or_yaml(accept: str, media_type: str, read: Any) -> None:
    answer = signed_in().get("/api/v1/schema/", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == media_type
    schema = read(answer.content)
    assert "/api/v1/providers/" in schema["paths"]


def test_the_schema_is_the_same_for_staff_and_members() -> None:
    assert signed_in(is_staff=True).get("/api/v1/schema/").content == signed_in().get("/api/v1/schema/").content


def test_the_schema_is_made_once_and_served_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    original = SchemaGenerator.get_schema

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        made.append(1)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(SchemaGenerator, "get_schema", counted)
    client = signed_in()
    first, second = client.get("/api/v1/schema/"), client.get("/api/v1/schema/")
    assert first.content == second.content
    assert len(made) == 1


def test_another_language_has_a_schema_of_its_own(settings: Settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    client = signed_in()
    with translation.override(None):
        # The middleware leaves its last language switched on.
        client.get("/api/v1/schema/", headers={"Accept-Language": "en"})
        client.get("/api/v1/schema/", headers={"Accept-Language": "de"})
    assert len(views.cache) == 2


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views.SchemaCache, "size", 1)
    client = signed_in()
    for accept in ("application/json", "application/yaml"):
        client.get("/api/v1/schema/", headers={"Accept": accept})
    assert len(views.cache) == 1


def test_an_unchanged_schema_is_not_sent_again() -> None:
    client = signed_in()
    etag = client.get("/api/v1/schema/").headers["ETag"]
    answer = client.get("/api/v1/schema/", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_everything_from_this_host(path: str) -> None:
    answer = signed_in().get(path)
    html = answer.content.decode()
    assert answer.headers["Content-Type"].startswith("text/html")
    links = re.findall(r'(?:src|href|data-schema-url)="([^"]+)"', html)
    assert "/api/v1/schema/" in links
    assert all(not urlsplit(link).netloc for link in links)
    assets = [link.removeprefix("/static/") for link in links if link.startswith("/static/")]
    assert len(assets) >= 2
    assert all(finders.find(asset) for asset in assets)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_load_nothing_from_elsewhere_and_runs_no_inline_script(path: str) -> None:
    answer = signed_in().get(path)
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert "http" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script>|<script [^>]*>[^<]|\son\w+=", answer.content.decode())


def test_static_files_may_have_a_host_of_their_own(settings: Settings) -> None:
    settings.STATIC_URL = "https://static.example/files/"
    policy = signed_in().get("/api/v1/docs/").headers["Content-Security-Policy"]
    assert "script-src https://static.example;" in policy


def test_the_pages_title_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views.spectacular_settings, "TITLE", "<b>&", raising=False)
    assert "<title>&lt;b&gt;&amp;</title>" in signed_in().get("/api/v1/docs/").content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_without_the_sidecar_a_page_says_what_is_missing(path: str, settings: Settings) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "drf_spectacular_sidecar"]
    answer = signed_in().get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
    assert "schema-ui" in answer.json()["detail"]
    assert signed_in().get("/api/v1/schema/").status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_without_static_files_a_page_says_what_is_missing(path: str, settings: Settings) -> None:
    settings.STATIC_URL = None
    answer = signed_in().get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
    assert "STATIC_URL" in answer.json()["detail"]


def test_the_pages_take_no_unknown_parameters() -> None:
    assert signed_in().get("/api/v1/schema/?format=json").status_code == 400
