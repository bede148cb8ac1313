"""`manage.py prune`: delete what has been kept for long enough."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext_lazy as _

from automate_api.management.progress import progress
from automate_api.services import idempotency


class Command(BaseCommand):
    """Run it from time to time, such as once a night."""

    help = str(_("Delete idempotency keys older than AUTOMATE_API_IDEMPOTENCY_RETENTION. Interrupted, start it again."))

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete in batches, and say how many rows went."""
        total = idempotency.count_expired()
        rows = idempotency.prune()
        deleted = sum(progress(rows, total=total, label="idempotency keys", stream=self.stderr, size=int))
        self.stdout.write(f"idempotency keys: {deleted} deleted")
