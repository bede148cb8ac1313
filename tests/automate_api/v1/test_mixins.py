"""The mixins' place among the bases, and the one that reads settings."""

import pytest
from pytest_django import Settings
from rest_framework import viewsets
from rest_framework.test import APIClient
from rest_framework.views import APIView

from automate_api.v1.base import (
    BaseModelViewSet,
    BaseViewSet,
    ConfigurableMixin,
    CORSMixin,
    PaginationMixin,
    PublicAPIMixin,
    RateLimitMixin,
    StaffOnlyMixin,
    TenantFilterMixin,
)

MIXINS = [
    CORSMixin,
    ConfigurableMixin,
    PaginationMixin,
    PublicAPIMixin,
    RateLimitMixin,
    StaffOnlyMixin,
    TenantFilterMixin,
]


@pytest.mark.parametrize(
    ("view", "mixin"),
    [
        (view, mixin)
        for view in (viewsets.ModelViewSet, BaseModelViewSet, BaseViewSet)
        for mixin in MIXINS
        if not issubclass(view, mixin)
    ],
)
def test_a_mixin_behind_the_view_class_is_a_type_error_that_says_so(view: type, mixin: type) -> None:
    with pytest.raises(TypeError, match=rf"Wrong has {mixin.__name__} behind"):
        type("Wrong", (view, mixin), {})


@pytest.mark.parametrize("mixin", MIXINS)
def test_a_mixin_that_a_later_base_brings_is_found_too(mixin: type) -> None:
    guarded = type("Guarded", (mixin, APIView), {})
    with pytest.raises(TypeError, match=mixin.__name__):
        type("Wrong", (viewsets.ModelViewSet, guarded), {})


@pytest.mark.parametrize("mixin", MIXINS)
def test_a_mixin_in_front_is_fine_and_so_is_a_subclass_of_that(mixin: type) -> None:
    right = type("Right", (mixin, viewsets.ModelViewSet), {})
    assert issubclass(type("Below", (right,), {}), mixin)


@pytest.mark.urls("tests.hosts.shop.urls")
def test_a_setting_is_read_by_the_views_prefix_and_live(settings: Settings) -> None:
    assert APIClient().get("/plain-configurable/").json() == {"page_size": 25}
    settings.AUTOMATE_API_PAGE_SIZE = 40
    assert APIClient().get("/plain-configurable/").json() == {"page_size": 40}


def test_the_prefix_of_settings_is_the_views_to_choose(settings: Settings) -> None:
    class Mine(ConfigurableMixin):
        setting_prefix = "SHOP"

    settings.SHOP_COLOUR = "red"
    assert Mine().get_setting("COLOUR") == "red"
    assert Mine().get_setting("SIZE") is None
