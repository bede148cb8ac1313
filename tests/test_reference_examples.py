"""The examples of the reference, run as they are written."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.http import HttpResponseBase
from django.urls import path
from pytest_django import Settings
from rest_framework.test import APIClient

from automate_api.models import Execution, PromptLog
from tests.factories import make_user
from tests.guides import DOCS, blocks
from tests.hosts.shop.people import signed_in, with_key
from tests.upstream import TEXT, FakeUpstream

pytestmark = pytest.mark.django_db

Example = Callable[[str], ModuleType]
MARK = "# example\n"


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Example]:
    """The example of a page, as a module."""
    monkeypatch.syspath_prepend(tmp_path)

    def imported(page: str) -> ModuleType:
        (code,) = [block.code for block in blocks(f"reference/{page}.md") if block.code.startswith(MARK)]
        (tmp_path / "example_of_page.py").write_text(code)
        return importlib.import_module("example_of_page")

    yield imported
    sys.modules.pop("example_of_page", None)


@pytest.fixture
def serve(settings: Settings) -> Callable[..., None]:
    """Route a view of an example at `/`, and with `{pk}` below it."""

    def routed(view: Any, detail: Any = None, **extra: Any) -> None:
        urls = ModuleType("urls_of_example")
        below = [path("<pk>/", detail)] if detail else []
        urls.urlpatterns = [path("", view), *below, *(path(f"<pk>/{n}/", v) for n, v in extra.items())]  # type: ignore[attr-defined]
        settings.ROOT_URLCONF = urls

    return routed


def test_each_example_is_run() -> None:
    here = Path(__file__).read_text()
    pages = [str(page.relative_to(DOCS / "reference")) for page in (DOCS / "reference").rglob("*.md")]
    names = [page.removesuffix(".md") for page in pages if MARK in (DOCS / "reference" / page).read_text()]
    assert len(names) > 8
    assert [name for name in names if f'example("{name}")' not in here] == []


def run_of(tenant_id: str, duration_ms: int) -> Execution:
    user = make_user()
    return Execution.objects.create(
        tenant_id=tenant_id, user=user, endpoint_version=1, input={}, duration_ms=duration_ms
    )


def test_a_base_view(example: Example, serve: Callable[..., None]) -> None:
    serve(example("base/base-api-view").EchoView.as_view())
    key = with_key(scopes=["echo:write"])
    assert key.post("/?times=2", {"text": "ho"}, format="json").json() == {"said": ["ho", "ho"]}
    assert key.post("/?time=2", {"text": "ho"}, format="json").json()["errors"][0]["code"] == "unknown_parameter"
    assert with_key(scopes=["echo:read"]).post("/", {"text": "ho"}, format="json").status_code == 403
    assert key.options("/").status_code == 403
    assert with_key().options("/").status_code == 405


def test_a_viewset(example: Example, serve: Callable[..., None]) -> None:
    view = example("base/viewsets").GroupViewSet
    serve(
        view.as_view({"get": "list", "post": "create"}),
        view.as_view({"get": "retrieve", "delete": "destroy"}),
        close=view.as_view({"post": "close"}),
    )
    staff, group = signed_in(is_staff=True), Group.objects.create(name="b")
    make_user().groups.add(group)
    assert staff.post("/", {"name": "a"}, format="json").status_code == 201
    names = [row["name"] for row in signed_in().get("/?ordering=name").json()["results"]]
    assert names == ["a", "b"]
    assert [row["name"] for row in signed_in().get("/?name=b").json()["results"]] == ["b"]
    assert signed_in().post(f"/{group.pk}/close/").status_code == 403
    assert with_key(scopes=["groups:write"], is_staff=True).post(f"/{group.pk}/close/").json()["name"] == "b"
    assert not group.user_set.exists()
    assert signed_in().get(f"/{group.pk}/?name=b").status_code == 400


def test_settings_of_a_view(example: Example, serve: Callable[..., None], settings: Settings) -> None:
    serve(example("base/configurable-mixin").ColourViewSet.as_view({"get": "list"}))
    assert APIClient().get("/").json() == {"colour": "red"}
    settings.SHOP_COLOUR = "blue"
    assert APIClient().get("/").json() == {"colour": "blue"}


def test_other_origins(example: Example, serve: Callable[..., None]) -> None:
    serve(example("base/cors-mixin").WeatherViewSet.as_view({"get": "list"}))
    ours = APIClient().get("/", headers={"Origin": "https://app.example.com"})
    assert ours.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Origin" in ours.headers["Vary"]
    assert "Access-Control-Allow-Origin" not in APIClient().get("/", headers={"Origin": "https://x.example"}).headers


def test_maintenance(example: Example, serve: Callable[..., None], settings: Settings) -> None:
    serve(example("base/maintenance-mixin").OrdersView.as_view())
    assert signed_in().get("/").json() == {"orders": []}
    settings.AUTOMATE_API_MAINTENANCE = True
    answer = APIClient().get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "300")


def test_pages(example: Example, serve: Callable[..., None]) -> None:
    for duration in (3, 1, 2):
        run_of("default", duration)
    serve(example("base/pagination-mixin").TimingViewSet.as_view({"get": "list"}))
    page = APIClient().get("/?count=true").json()
    assert ([row["duration_ms"] for row in page["results"]], page["count"]) == ([3, 2], 3)
    assert [row["duration_ms"] for row in APIClient().get(page["next"]).json()["results"]] == [1]
    assert APIClient().get("/?page_size=51").status_code == 400


def test_a_public_view(example: Example, serve: Callable[..., None]) -> None:
    serve(example("base/public-api-mixin").OpeningHoursViewSet.as_view({"get": "list"}))
    assert [APIClient().get("/").status_code for _ in range(3)] == [200, 200, 429]


def test_limits(example: Example, serve: Callable[..., None]) -> None:
    serve(example("base/rate-limit-mixin").SearchViewSet.as_view({"get": "list"}))
    answers: list[HttpResponseBase] = [APIClient().get("/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"search";q=3;w=3600'
    assert answers[0].headers["RateLimit"].startswith('"search";r=2;t=')
    assert int(answers[3].headers["Retry-After"]) <= 3600


def test_staff_only(example: Example, serve: Callable[..., None]) -> None:
    serve(example("base/staff-only-mixin").ReportViewSet.as_view({"get": "yearly"}))
    callers = APIClient(), signed_in(), signed_in(is_staff=True)
    assert [caller.get("/").status_code for caller in callers] == [401, 403, 200]


def test_a_tenant_by_a_path(example: Example, serve: Callable[..., None]) -> None:
    for tenant in ("default", "other"):
        PromptLog.objects.create(
            tenant_id="?", user=make_user(), execution=run_of(tenant, 1), log_key=f"{tenant}-1", history=[]
        )
    serve(example("base/tenant-filter-mixin").LogViewSet.as_view({"get": "list"}))
    assert [row["log_key"] for row in APIClient().get("/").json()] == ["default-1"]


def test_the_parts_of_views(example: Example, serve: Callable[..., None]) -> None:
    serve(example("parts").PlainGroupViewSet.as_view({"get": "list", "post": "create"}))
    Group.objects.bulk_create(Group(name=name) for name in "bac")
    key = with_key(scopes=["nothing:read"])
    page = key.get("/?ordering=name").json()
    assert [row["name"] for row in page["results"]] == ["a", "b"]
    assert [row["name"] for row in key.get(page["next"]).json()["results"]] == ["c"]
    assert [row["name"] for row in key.get("/?name=c").json()["results"]] == ["c"]
    assert key.post("/", b'{"name": NaN}', content_type="application/json").json()["code"] == "malformed_request"
    assert APIClient().get("/", headers={"X-API-Key": "wrong"}).json()["code"] == "authentication_failed"


def test_the_services(example: Example, upstream: FakeUpstream) -> None:
    text = example("services").ask(make_user(is_staff=True), "What is a fjord?", upstream.url)
    assert text == TEXT
    assert Execution.objects.get().correlation_id == "nightly-1"


def test_rules(example: Example) -> None:
    page = example("rules")
    assert page.decide(150, "ann") == (
        True,
        (
            'True: “event.payload.total” (150) is greater than 100; “event.payload.customer” ("ann") is in “vips” '
            '(["ann", "bob"]).'
        ),
    )
    assert page.decide(50, "ann") == (False, "False: “event.payload.total” (50) is not greater than 100.")
    assert page.complain("1 +") == "1:4: The rule ends too early."
    assert page.complain("1 + 1") is None
    assert (page.total_of({"total": 5}), page.total_of({})) == (5, None)
