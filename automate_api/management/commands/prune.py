"""`manage.py prune`: delete what has been kept for long enough."""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext_lazy as _

from automate_api.management.progress import progress
from automate_api.services import events, idempotency, retention

# What goes, in this order: how much there is, and what deletes it batch by batch.
_PRUNED: tuple[tuple[str, Callable[[], int], Callable[[], Iterator[int]]], ...] = (
    ("idempotency keys", idempotency.count_expired, idempotency.prune),
    ("jobs", retention.count_jobs, retention.prune_jobs),
    ("job events", retention.count_events, retention.prune_events),
    ("events", events.count_expired, events.prune),
    ("LLM clients", retention.count_llm_clients, retention.prune_llm_clients),
)


class Command(BaseCommand):
    """Run it from time to time, such as once a night."""

    help = str(
        _(
            "Delete idempotency keys, ended jobs and their events, the events that were sent here, and LLM clients "
            "that were deleted, once they have been kept for as long as AUTOMATE_API_IDEMPOTENCY_RETENTION, "
            "AUTOMATE_API_JOB_RETENTION, AUTOMATE_API_JOB_EVENT_RETENTION, AUTOMATE_API_EVENT_RETENTION and "
            "AUTOMATE_API_LLM_CLIENT_RETENTION say. Interrupted, start it again."
        )
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete in batches, and say how many rows went."""
        for label, count, prune in _PRUNED:
            deleted = sum(progress(prune(), total=count(), label=label, stream=self.stderr, size=int))
            self.stdout.write(f"{label}: {deleted} deleted")
