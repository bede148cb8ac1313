"""What this host does when it is told of a document."""

from automate_api.events import on_event
from automate_api.models import Actor, Event
from automate_api.services.endpoints import find_runnable
from automate_api.services.jobs import create_job
from automate_api.services.runs import prepare_execution


@on_event("document.received")
def count_words(event: Event) -> None:
    """Have its words counted, by a job of whoever reported it. Both are stored, or neither."""
    actor = Actor(user=event.user, tenant_id=event.tenant_id)
    endpoint = find_runnable("count-words", actor=actor)
    given = {"document": event.payload["document"]}
    create_job(prepare_execution(endpoint, actor=actor, correlation_id=event.correlation_id, input=given))
