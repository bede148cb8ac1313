"""`manage.py maintenance on|off|status`: answer 503 on the organization routes while something is being done."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.services.maintenance import begin_maintenance, end_maintenance, seconds_to_wait

_DAY = 86_400


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _DAY):
        raise ArgumentTypeError(f"a whole number from 1 to {_DAY}, not {text!r}")
    return int(text)


class Command(BaseCommand):
    """It takes effect in every process at once."""

    help = str(
        _(
            "Switch maintenance mode on or off, or tell whether it is on. While it is, the organization routes and "
            "views with MaintenanceMixin answer 503; every process that shares the database knows at once."
        )
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, and what to tell callers."""
        parser.add_argument("action", choices=("on", "off", "status"))
        parser.add_argument(
            "--retry-after",
            type=_seconds,
            metavar="SECONDS",
            help=str(_("With on: when callers are told to come back; else AUTOMATE_API_MAINTENANCE_RETRY_AFTER.")),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say how things are."""
        if options["retry_after"] is not None and options["action"] != "on":
            raise CommandError("--retry-after goes with on.")
        if options["action"] == "on":
            begin_maintenance(retry_after=options["retry_after"])
        elif options["action"] == "off":
            end_maintenance()
        seconds = seconds_to_wait()
        by_setting = " (AUTOMATE_API_MAINTENANCE)" if settings.maintenance else ""
        self.stdout.write("off" if seconds is None else f"on, retry after {seconds} s{by_setting}")
