"""Who acts where there is no request: what happens by itself does so with somebody's rights."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from automate_api.exceptions import PermissionDenied
from automate_api.models import Actor
from automate_api.tenancy import members_of


def member_acting(user_id: Any, *, tenant_id: str) -> Actor:
    """The user as an actor in the tenant, with the rights of this moment and no key's scopes.

    Raises:
        PermissionDenied: there is no such user (any more), it may not sign in, or it is no member of the tenant, as
            `AUTOMATE_API_TENANT_MEMBERS` tells.
    """
    user = None if user_id is None else members_of(tenant_id).filter(pk=user_id).first()
    if user is None or not getattr(user, "is_active", True):
        raise PermissionDenied(_("Whoever this was to be done for is no member of the tenant."))
    return Actor(user=user, tenant_id=tenant_id)
