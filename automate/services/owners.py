"""Whose rights a workflow has."""

from django.utils.translation import gettext_lazy as _

from automate.models import Workflow
from automate_api.exceptions import PermissionDenied
from automate_api.models import Actor
from automate_api.tenancy import members_of


def owner_of(workflow: Workflow) -> Actor:
    """The workflow's owner, in the workflow's tenant, as an actor. One query.

    Raises:
        PermissionDenied: there is none, or no longer one who manages the tenant.
    """
    owner = members_of(workflow.tenant_id).filter(pk=workflow.owner_id).first() if workflow.owner_id else None
    actor = Actor(user=owner, tenant_id=workflow.tenant_id)
    if owner is None or not actor.is_staff or not getattr(owner, "is_active", True):
        raise PermissionDenied(_("The workflow has no owner who may run it."))
    return actor
