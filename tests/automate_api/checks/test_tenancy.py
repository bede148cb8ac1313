"""Tenants that nobody has thought of are found."""

from pytest_django import Settings

from tests.checking import ids

RESOLVER = "tests.hosts.shop.people.tenant_of_header"
MEMBERS = "automate_api.tenancy.members_of"


def test_one_tenant_for_everybody_is_a_warning_in_production() -> None:
    assert "automate_api.W011" in ids(deploy=True)
    assert "automate_api.W011" not in ids()


def test_one_tenant_for_everybody_is_no_matter_while_developing(settings: Settings) -> None:
    settings.DEBUG = True
    assert ids(deploy=True) == set()


def test_a_resolver_of_the_hosts_own_is_none(settings: Settings) -> None:
    settings.AUTOMATE_API_TENANT_RESOLVER = RESOLVER
    assert "automate_api.W011" not in ids(deploy=True)


def test_everybody_a_member_of_every_tenant_is_a_warning(settings: Settings) -> None:
    settings.AUTOMATE_API_TENANT_RESOLVER = RESOLVER
    assert ids() == {"automate_api.W012"}


def test_members_of_the_hosts_own_are_none(settings: Settings) -> None:
    settings.AUTOMATE_API_TENANT_RESOLVER = RESOLVER
    settings.AUTOMATE_API_TENANT_MEMBERS = MEMBERS
    assert ids() == set()
