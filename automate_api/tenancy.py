"""Which tenant a request acts in, and who belongs to a tenant.

Both are the host's to say: `AUTOMATE_API_TENANT_RESOLVER` and `AUTOMATE_API_TENANT_MEMBERS` name the functions. The two
defaults here suit a host with one tenant.
"""

from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.module_loading import import_string

from automate_api.conf import settings

#: What the column of every row holds.
MAX_LENGTH = 64


def single_tenant(request: HttpRequest) -> str:
    """Every request acts in the one tenant `"default"`."""
    return "default"


def every_active_user(tenant_id: str) -> QuerySet[Any]:
    """Every active user is a member of every tenant; every user where `is_active` is no column."""
    users = get_user_model()._default_manager.all()  # noqa: SLF001 - Django's public name for it
    return users.filter(is_active=True) if users_have("is_active") else users


def users_have(name: str) -> bool:
    """Whether the host's users have a column of this name; Django asks for none but a password's."""
    try:
        return bool(get_user_model()._meta.get_field(name).concrete)  # noqa: SLF001 - Django's public name for it
    except FieldDoesNotExist:
        return False


def resolve_tenant(request: HttpRequest) -> str | None:
    """The tenant the host's resolver names for `request`, as a string; None where it names none.

    The empty string names none either: everybody without a tenant would share it. An API key brings its own tenant:
    ask the view's `get_tenant()`, which knows about keys, rather than this.

    Raises:
        ImproperlyConfigured: the resolver gave anything but a string, an integer, a UUID or None, or a string that no
            row can hold.
    """
    tenant = import_string(settings.tenant_resolver)(request)
    if tenant is None or tenant == "":
        return None
    # A model instance, say, would be taken by its name, which is not unique and may change.
    if isinstance(tenant, bool) or not isinstance(tenant, str | int | UUID):
        raise ImproperlyConfigured("AUTOMATE_API_TENANT_RESOLVER returns a string, an integer, a UUID or None.")
    if len(str(tenant)) > MAX_LENGTH or "\x00" in str(tenant):
        raise ImproperlyConfigured(
            "AUTOMATE_API_TENANT_RESOLVER returned a tenant of more than 64 characters, or a NUL."
        )
    return str(tenant)


def members_of(tenant_id: str) -> QuerySet[Any]:
    """The users that belong to the tenant, as the host's `AUTOMATE_API_TENANT_MEMBERS` tells."""
    members: QuerySet[Any] = import_string(settings.tenant_members)(tenant_id)
    return members
