"""System checks on the views that are routed."""

from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.urls import path
from pytest_django import Settings
from rest_framework import generics, viewsets
from rest_framework.views import APIView

from automate_api.models import Provider
from automate_api.v1.base import BaseAPIView, BaseModelViewSet, BaseViewSet, TenantFilterMixin
from automate_api.v1.base.cors import CORSMixin
from automate_api.v1.base.public import PublicAPIMixin
from automate_api.v1.base.rate_limit import RateLimitMixin
from automate_api.v1.filters import FilterSet
from automate_api.v1.serializers.providers import ProviderSerializer
from tests.checking import found, ids
from tests.hosts.shop.models import Project


class ProviderFilterSet(FilterSet):
    class Meta:
        model = Provider
        fields = ("slug",)


def made(*bases: type, module: str = __name__, **attributes: Any) -> Any:
    """A view class of that module."""
    return type("Made", bases, {"__module__": module, **attributes})


def routed(settings: Settings, view: Any, **kwargs: Any) -> list[str | None]:
    """The ids of what is found once the view has a route."""
    if issubclass(view, viewsets.ViewSetMixin):
        kwargs["actions"] = {"get": "list"}
    # A tuple of routes is as good as a module, and as a key of Django's cache of them.
    settings.ROOT_URLCONF = (path("made/", view.as_view(**kwargs)),)
    return [message.id for message in found()]


# -- tenants ---------------------------------------------------------------------------------------------------------


def of_wider_view() -> list[CheckMessage]:
    return [message for message in found() if "WiderProviderViewSet" in message.msg]


@pytest.mark.urls("tests.hosts.rival.urls")
def test_a_view_that_shows_every_tenants_rows_is_warned_of_once() -> None:
    [shown] = of_wider_view()
    assert shown.id == "automate_api.W006"
    assert "TenantFilterMixin" in (shown.hint or "")


@pytest.mark.parametrize(
    "attributes",
    [
        {"queryset": Provider.objects.all()},
        {"serializer_class": ProviderSerializer},
        {"serializer_class": ProviderSerializer, "get_queryset": lambda self: Provider.objects.all()},
        {"filterset_class": ProviderFilterSet},
    ],
)
@pytest.mark.parametrize("base", [generics.ListAPIView, viewsets.GenericViewSet, BaseModelViewSet])
def test_a_view_over_a_model_with_the_column_does_not_filter(
    settings: Settings, base: type, attributes: dict[str, Any]
) -> None:
    assert routed(settings, made(base, **attributes)) == ["automate_api.W006"]


def test_a_queryset_that_the_route_brings_is_seen(settings: Settings) -> None:
    assert routed(settings, generics.ListAPIView, queryset=Provider.objects.all()) == ["automate_api.W006"]


@pytest.mark.parametrize(
    "view",
    [
        made(TenantFilterMixin, generics.ListAPIView, serializer_class=ProviderSerializer),
        made(generics.ListAPIView, queryset=Project.objects.all()),
        made(generics.ListAPIView),
        made(APIView),
    ],
)
def test_a_view_that_filters_or_has_nothing_to_filter_is_none(settings: Settings, view: Any) -> None:
    assert routed(settings, view) == []


@pytest.mark.urls("tests.urls")
def test_our_own_views_have_nothing_to_be_found() -> None:
    assert found() == []


def test_a_project_without_routes_has_nothing_to_check(settings: Settings) -> None:
    del settings.ROOT_URLCONF
    assert found() == []


# -- policy ----------------------------------------------------------------------------------------------------------


OURS = "automate_api.v1.views.made"


@pytest.mark.parametrize("base", [BaseAPIView, BaseViewSet, APIView, generics.ListAPIView])
def test_a_view_of_ours_without_a_policy_is_an_error(settings: Settings, base: type) -> None:
    assert routed(settings, made(base, module=OURS)) == ["automate_api.E016"]


@pytest.mark.parametrize(
    "attributes",
    [
        {"scope_resource": "made"},
        {"check_scope": lambda self, request: None},
        {"get_required_scope": lambda self: "made:read"},
    ],
)
def test_a_view_of_ours_with_one_is_none(settings: Settings, attributes: dict[str, Any]) -> None:
    assert routed(settings, made(BaseAPIView, module=OURS, **attributes)) == []


def test_a_view_of_ours_for_everybody_has_a_policy(settings: Settings) -> None:
    assert routed(settings, made(PublicAPIMixin, BaseAPIView, module=OURS)) == []


def test_a_hosts_own_view_needs_none(settings: Settings) -> None:
    assert routed(settings, made(BaseAPIView)) == []


# -- other origins ---------------------------------------------------------------------------------------------------


MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?x",
        "https://App.example.com",
        "HTTPS://app.example.com",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "https://user@app.example.com",
        "https://*.example.com",
        "app.example.com",
        "//app.example.com",
        "file://",
        "null",
        "",
        None,
    ],
)
def test_what_is_no_origin_is_an_error(settings: Settings, origin: Any) -> None:
    view = made(CORSMixin, APIView, cors_origins=["https://right.example.com", origin])
    assert routed(settings, view) == ["automate_api.E014"]


@pytest.mark.parametrize(
    "origins",
    [
        (),
        ["*"],
        {"https://app.example.com", "http://localhost:8000", "http://127.0.0.1", "http://[::1]:8080"},
        ("https://xn--bcher-kva.example", "chrome-extension://abcdefgh", "capacitor://localhost"),
        property(lambda self: ["https://of.the.request.example/"]),
    ],
)
def test_origins_are_none(settings: Settings, origins: Any) -> None:
    assert routed(settings, made(CORSMixin, APIView, cors_origins=origins)) == []


def test_any_origin_with_credentials_is_an_error(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    view = made(CORSMixin, APIView, cors_origins=["*"])
    assert routed(settings, view) == []
    # Routing refuses it already where it stands in the class by then.
    monkeypatch.setattr(view, "cors_allow_credentials", True)
    assert ids() == {"automate_api.E013"}


@pytest.mark.parametrize(
    ("middleware", "credentials", "origins", "expected"),
    [
        (MIDDLEWARE, True, ["*"], ["automate_api.E013"]),
        (MIDDLEWARE, True, ["https://app.example.com"], []),
        (MIDDLEWARE, False, ["*"], []),
        ([], True, ["*"], []),
    ],
)
def test_any_origin_admits_nobody_where_the_middleware_allows_credentials(
    settings: Settings, middleware: list[str], credentials: bool, origins: list[str], expected: list[str]
) -> None:
    settings.MIDDLEWARE, settings.CORS_ALLOW_CREDENTIALS = middleware, credentials
    assert routed(settings, made(CORSMixin, APIView, cors_origins=origins)) == expected


# -- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "attributes", [{"rate_limit": "often"}, {"rate_limit": "0/hour"}, {"rate_limit": 7}, {"rate_limit_key": "browser"}]
)
def test_a_limit_that_cannot_be_counted_is_an_error(settings: Settings, attributes: dict[str, Any]) -> None:
    assert routed(settings, made(RateLimitMixin, APIView, **attributes)) == ["automate_api.E017"]


@pytest.mark.parametrize("rate", ["often", None, ""])
def test_a_public_view_without_a_rate_is_an_error(settings: Settings, rate: Any) -> None:
    assert routed(settings, made(PublicAPIMixin, APIView, public_rate_limit=rate)) == ["automate_api.E017"]


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"rate_limit": None},
        {"rate_limit": "5/30s", "rate_limit_key": "tenant"},
        {"rate_limit_key": lambda request: "one"},
        {"rate_limit": property(lambda self: "of the request")},
        {"public_rate_limit": property(lambda self: "of the request")},
    ],
)
def test_a_limit_that_can_be_counted_is_none(settings: Settings, attributes: dict[str, Any]) -> None:
    assert routed(settings, made(PublicAPIMixin, RateLimitMixin, APIView, **attributes)) == []


def test_a_limit_under_a_prefix_of_the_hosts_own_is_looked_at(settings: Settings) -> None:
    settings.SHOP_RATE_LIMIT = "often"
    assert routed(settings, made(BaseAPIView, setting_prefix="SHOP")) == ["automate_api.E017"]
