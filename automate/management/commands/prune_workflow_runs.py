"""`manage.py prune_workflow_runs`: delete runs of workflows that have been kept for long enough."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext_lazy as _

from automate.conf import settings
from automate.services.retention import count_runs, prune_runs
from automate_api.management.progress import progress


class Command(BaseCommand):
    """Run it from time to time, such as once a night."""

    help = str(
        _(
            "Delete runs of workflows, with their steps, that ended longer ago than AUTOMATE_WORKFLOW_RUN_RETENTION "
            "says. Runs that go on or wait stay, however old they are. Interrupted, start it again."
        )
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete in batches, and say how many runs went."""
        label = "workflow runs"
        deleted = sum(progress(prune_runs(), total=count_runs(), label=label, stream=self.stderr, size=int))
        self.stdout.write(f"{label}: {deleted} deleted")
        if settings.workflow_run_retention is None:
            self.stdout.write("Set AUTOMATE_WORKFLOW_RUN_RETENTION; now they are kept for ever.")
