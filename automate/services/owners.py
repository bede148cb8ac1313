"""Whose rights a workflow has."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from automate.models import Workflow, WorkflowRun
from automate_api.exceptions import Conflict, PermissionDenied
from automate_api.models import Actor
from automate_api.services.actors import member_acting


def owner_of(workflow: Workflow) -> Actor:
    """The workflow's owner, in the workflow's tenant, as an actor. One query.

    Raises:
        PermissionDenied: there is none, or none (any longer) who manages the tenant.
    """
    return _managing(workflow.owner_id, workflow.tenant_id)


def owner_of_run(run: WorkflowRun) -> Actor:
    """Whose rights the run has: of the present version the workflow's owner's, of an older one its writer's. One query.

    The owner is who has written the present version: what an older one does, which goes on or is replayed, was not
    theirs to say.

    Raises:
        PermissionDenied: as for `owner_of`.
        Conflict: the workflow has been deleted.
    """
    workflow, version = run.workflow, run.version
    if workflow is None or version is None:
        raise Conflict
    is_present = version.version == workflow.version
    return _managing(workflow.owner_id if is_present else version.user_id, workflow.tenant_id)


def _managing(user_id: Any, tenant_id: str) -> Actor:
    actor = member_acting(user_id, tenant_id=tenant_id)
    if not actor.is_staff:
        raise PermissionDenied(_("The workflow's owner does not manage the tenant."))
    return actor
