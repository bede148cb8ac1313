"""Whose rights a workflow has."""

from django.utils.translation import gettext_lazy as _

from automate.models import Workflow
from automate_api.exceptions import PermissionDenied
from automate_api.models import Actor
from automate_api.services.actors import member_acting


def owner_of(workflow: Workflow) -> Actor:
    """The workflow's owner, in the workflow's tenant, as an actor. One query.

    Raises:
        PermissionDenied: there is none, or none (any longer) who manages the tenant.
    """
    actor = member_acting(workflow.owner_id, tenant_id=workflow.tenant_id)
    if not actor.is_staff:
        raise PermissionDenied(_("The workflow's owner does not manage the tenant."))
    return actor
