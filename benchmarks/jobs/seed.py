"""One tenant with an endpoint that needs no model, and a user with a key."""

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.core.management import call_command

from automate_api.models import Actor, Endpoint, Job
from automate_api.services.api_keys import issue_key
from automate_api.services.endpoints import create_endpoint
from automate_api.services.jobs import create_job
from automate_api.services.runs import prepare_execution

TENANT = "bench"


@dataclass(frozen=True, slots=True)
class Host:
    """What was made: who runs what, and with which API key."""

    actor: Actor
    endpoint: Endpoint
    key: str

    def create_job(self, key: str) -> Job:
        """A job that notes when it begins, as the views make one."""
        execution = prepare_execution(self.endpoint, actor=self.actor, correlation_id=key, input={"key": key})
        return create_job(execution)


def seed() -> Host:
    """Migrate an empty database, and make them."""
    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user("bench", is_staff=True)
    actor = Actor(user=user, tenant_id=TENANT)
    endpoint = create_endpoint(actor=actor, name="Note", slug="note", task_types=["bench.note"])
    key = issue_key(tenant_id=TENANT, user=user, name="bench", scopes=["*"])[1]
    return Host(actor, endpoint, key)
