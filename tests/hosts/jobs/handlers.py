"""Handlers of events that leave traces."""

from pathlib import Path

from django.conf import settings

from automate_api.events import on_event
from automate_api.models import Event
from tests.hosts.jobs.models import Handled


@on_event("order.*")
def note(event: Event) -> None:
    """Note that it was called."""
    Handled.objects.create(event=event.pk, handler="note")


@on_event("order.paid")
def stumble(event: Event) -> None:
    """Note the same; where the event says so, fail once after it."""
    Handled.objects.create(event=event.pk, handler="stumble")
    if event.payload.get("stumble"):
        trace = Path(settings.FOLDER, f"{event.pk}.stumbled")
        if not trace.exists():
            trace.touch()
            raise RuntimeError("stumbled")
