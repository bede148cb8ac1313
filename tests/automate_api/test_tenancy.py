"""The functions a host names for its tenants."""

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from pytest_django import Settings

from automate_api.tenancy import members_of, resolve_tenant
from tests.factories import make_user

HERE = "tests.automate_api.test_tenancy"


def numbered(request: Any) -> int:
    return 7


def by_uuid(request: Any) -> UUID:
    return UUID(int=7)


def nowhere(request: Any) -> None:
    return None


def empty(request: Any) -> str:
    return ""


def too_long(request: Any) -> str:
    return "x" * 65


def a_row(request: Any) -> Any:
    return get_user_model()(username="ann")


def yes(request: Any) -> bool:
    return True


def only_ann(tenant_id: str) -> Any:
    return get_user_model().objects.filter(username="ann") if tenant_id == "acme" else get_user_model().objects.none()


def test_a_host_that_says_nothing_has_one_tenant() -> None:
    assert resolve_tenant(RequestFactory().get("/")) == "default"


@pytest.mark.parametrize(
    ("resolver", "tenant"),
    [("numbered", "7"), ("by_uuid", "00000000-0000-0000-0000-000000000007"), ("nowhere", None), ("empty", None)],
)
def test_the_hosts_resolver_decides_and_is_read_live(settings: Settings, resolver: str, tenant: str | None) -> None:
    settings.AUTOMATE_API_TENANT_RESOLVER = f"{HERE}.{resolver}"
    assert resolve_tenant(RequestFactory().get("/")) == tenant


@pytest.mark.parametrize("resolver", ["too_long", "a_row", "yes"])
def test_what_is_no_tenant_is_the_hosts_mistake(settings: Settings, resolver: str) -> None:
    settings.AUTOMATE_API_TENANT_RESOLVER = f"{HERE}.{resolver}"
    with pytest.raises(ImproperlyConfigured):
        resolve_tenant(RequestFactory().get("/"))


@pytest.mark.django_db
def test_every_active_user_is_a_member_where_the_host_says_nothing() -> None:
    ann = make_user(username="ann")
    make_user(username="gone", is_active=False)
    assert list(members_of("any")) == [ann]


@pytest.mark.django_db
def test_the_host_says_who_the_members_are(settings: Settings) -> None:
    settings.AUTOMATE_API_TENANT_MEMBERS = f"{HERE}.only_ann"
    ann = make_user(username="ann")
    make_user(username="bob")
    assert list(members_of("acme")) == [ann]
    assert not members_of("globex").exists()
