"""`manage.py prune_prompt_logs`: delete prompt logs by age."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.management.progress import progress
from automate_api.services.retention import count_prompt_logs, prune_prompt_logs

# A hundred years: what is older than this package is not meant.
_MOST_DAYS = 36_500


class Command(BaseCommand):
    """Run it from time to time, such as once a night."""

    help = str(
        _(
            "Delete prompt logs that are older than so many days, or than AUTOMATE_API_PROMPT_LOG_RETENTION says. "
            "Executions stay. Interrupted, start it again."
        )
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--older-than DAYS`."""
        text = _("days; without it what AUTOMATE_API_PROMPT_LOG_RETENTION says, and nothing where that is not set")
        parser.add_argument("--older-than", type=_days, metavar="DAYS", help=str(text))

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete in batches, and say how many rows went."""
        age, seconds = options["older_than"], settings.prompt_log_retention
        if age is None and seconds is not None:
            age = timedelta(seconds=float(seconds))
        deleted = 0 if age is None else self._prune(age)
        self.stdout.write(f"prompt logs: {deleted} deleted")
        if age is None:
            self.stdout.write("Name --older-than or set AUTOMATE_API_PROMPT_LOG_RETENTION; now they are kept for ever.")

    def _prune(self, age: timedelta) -> int:
        batches, total = prune_prompt_logs(older_than=age), count_prompt_logs(older_than=age)
        return sum(progress(batches, total=total, label="prompt logs", stream=self.stderr, size=int))


def _days(text: str) -> timedelta:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= _MOST_DAYS):
        raise argparse.ArgumentTypeError(str(_("write a whole number of days")))
    return timedelta(days=int(text))
