"""One tenant, two workflows of one step each with what starts them, and a key that may write events."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command

from automate.models import Workflow, WorkflowVersion
from automate.services.triggers import create_trigger
from automate_api.models import Actor
from automate_api.services.api_keys import issue_key
from benchmarks.workflows.parts import PURE, WORKING

TENANT = "bench"
_SET = {"type": "set", "with": {"values": {"total": {"cel": "event.payload.total * 2"}}}}
_STEPS: dict[str, dict[str, Any]] = {PURE: _SET, WORKING: {"type": "bench.nothing", "with": {}}}


def seed() -> str:
    """Migrate an empty database, and make them; the key."""
    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user("bench", is_staff=True)
    actor = Actor(user=user, tenant_id=TENANT)
    for kind, step in _STEPS.items():
        definition = {"condition": "event.payload.total > 10", "steps": [{"name": "only", **step}]}
        columns = {"name": kind, "slug": kind.replace(".", "-"), "condition": definition["condition"]}
        workflow = Workflow.objects.create(tenant_id=TENANT, owner=user, definition=definition, **columns)
        WorkflowVersion.objects.create(workflow=workflow, version=1, definition=definition)
        create_trigger(actor=actor, workflow=workflow, name=kind, kind="event", pattern=kind)
    return issue_key(tenant_id=TENANT, user=user, name="bench", scopes=["events:write"])[1]
