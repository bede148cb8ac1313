"""`manage.py run_schedules`: a process of its own for schedules, beside workers that do not look after them."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections
from django.utils.translation import gettext_lazy as _

from automate.services.schedules import run_due


class Command(BaseCommand):
    """`automate_worker` and `reap_jobs` do the same by the way. Start as many as you like."""

    help = str(_("Tell of the times at which schedules are due."))

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--once`, `--every`."""
        parser.add_argument("--once", action="store_true", help=str(_("Only those that are due now, for a timer.")))
        parser.add_argument(
            "--every", type=float, default=1.0, metavar="SECONDS", help=str(_("Seconds between two looks (1)."))
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Go on until told to stop; what is being told of then is finished first."""
        if options["once"]:
            self._run()
            return
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: stop.set())
        self.stdout.write("Looking after schedules.")
        while not stop.is_set():
            try:
                self._run()
            except Error as exc:
                self.stderr.write(f"The database could not be reached: {type(exc).__name__}")
            close_old_connections()
            stop.wait(options["every"])
        self.stdout.write("Stopped.")

    def _run(self) -> None:
        if told := run_due():
            self.stdout.write(f"due: {told}")
