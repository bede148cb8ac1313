"""`manage.py prune_artifacts`: delete the artifacts whose time is over, with their files."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext_lazy as _

from automate_api.management.progress import progress
from automate_api.services.artifacts import count_expired, prune_artifacts


class Command(BaseCommand):
    """Run it from time to time, such as once a night."""

    help = str(
        _(
            "Delete artifacts that have expired (AUTOMATE_API_ARTIFACT_RETENTION), with their files. "
            "Interrupted, start it again."
        )
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete in batches, and say how many went."""
        batches = progress(prune_artifacts(), total=count_expired(), label="artifacts", stream=self.stderr, size=int)
        deleted = sum(batches)
        self.stdout.write(f"artifacts: {deleted} deleted")
