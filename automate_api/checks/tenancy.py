"""Tenants are kept apart because somebody has decided how."""

from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, register

from automate_api.checks.reading import TAG, in_production
from automate_api.conf import settings

_ONE_FOR_ALL = "automate_api.tenancy.single_tenant"
_EVERYBODY = "automate_api.tenancy.every_active_user"


@in_production
def check_resolver(**kwargs: Any) -> list[CheckMessage]:
    """W011: everybody is in one tenant."""
    if settings.tenant_resolver != _ONE_FOR_ALL:
        return []
    message = "Everybody shares one tenant: AUTOMATE_API_TENANT_RESOLVER is the default."
    hint = "Name a function that tells a request's tenant. Silence this if all your users may share what they make."
    return [checks.Warning(message, hint=hint, id="automate_api.W011")]


@register(TAG)
def check_members(**kwargs: Any) -> list[CheckMessage]:
    """W012: the host tells tenants apart, and everybody is a member of each."""
    if settings.tenant_resolver == _ONE_FOR_ALL or settings.tenant_members != _EVERYBODY:
        return []
    message = "Every user is a member of every tenant: there is an AUTOMATE_API_TENANT_RESOLVER, and no members."
    hint = "Set AUTOMATE_API_TENANT_MEMBERS to a function that gives the users of a tenant: they can be shared with."
    return [checks.Warning(message, hint=hint, id="automate_api.W012")]
