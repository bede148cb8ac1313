"""System checks on the host's views."""

import pytest
from pytest_django import Settings

from automate_api.v1.checks import check_tenant_filters


@pytest.mark.urls("tests.hosts.rival.urls")
def test_a_view_that_shows_every_tenants_rows_is_warned_of_once() -> None:
    [shown, *others] = [found for found in check_tenant_filters() if "WiderProviderViewSet" in found.msg]
    assert not others
    assert shown.id == "automate_api.W006"
    assert "TenantFilterMixin" in (shown.hint or "")


@pytest.mark.urls("tests.urls")
def test_our_own_views_filter() -> None:
    assert check_tenant_filters() == []


def test_a_project_without_routes_has_nothing_to_check(settings: Settings) -> None:
    del settings.ROOT_URLCONF
    assert check_tenant_filters() == []
