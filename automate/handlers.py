"""What this app does when an event comes in. Handlers are known by their dotted paths: these do not move."""

from automate.services.starting import start_for, starting_types
from automate.services.waits import awaited, wake_for, wake_rest
from automate_api.events import on_event
from automate_api.models import Event


def wanted(tenant_id: str, types: set[str]) -> set[str]:
    """The types of events that start a workflow of the tenant, or that one of its runs waits for. Two queries."""
    starting = starting_types(tenant_id, types)
    return starting | awaited(tenant_id, types - starting)


@on_event("*", wanted=wanted)
def follow(event: Event) -> None:
    """Have the runs go on that wait for `event`, and start the workflows that it starts."""
    last = wake_for(event)
    if last is not None:
        wake_rest(event, after=last)
    start_for(event)
