"""A handler, so that ingest makes a job where an event of its type is among the new ones. No worker calls it here."""

from automate_api.events import on_event
from automate_api.models import Event
from benchmarks.events.bodies import HANDLED


@on_event(HANDLED)
def note(event: Event) -> None:
    """Never called."""
