"""`manage.py reap_jobs`: return what dead workers and dead web processes held, and look after the duties of apps."""

import time
from argparse import ArgumentParser
from dataclasses import astuple
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections
from django.utils.translation import gettext_lazy as _

from automate_api.services.duties import Rounds
from automate_api.services.reaper import reap


class Command(BaseCommand):
    """Once, for a timer; or again and again, beside workers that are not `automate_worker`."""

    help = str(_("Return the jobs of dead workers, hand out forgotten ones, and end the executions of dead processes."))

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--every`."""
        parser.add_argument("--every", type=float, metavar="SECONDS", help=str(_("Go on, a round every so often.")))

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was done, where there was anything to do."""
        rounds = Rounds()
        while True:
            try:
                self._reap(**options)
            except Error as exc:
                if not options["every"]:
                    raise
                self.stderr.write(f"The database could not be reached: {type(exc).__name__}")
            rounds.go()
            if not options["every"]:
                return
            close_old_connections()
            time.sleep(options["every"])

    def _reap(self, **options: Any) -> None:
        done = reap()
        if any(astuple(done)) or not options["every"]:
            self.stdout.write(
                f"jobs returned: {done.jobs}, jobs handed out again: {done.forgotten}, "
                f"executions ended: {done.executions}, delayed jobs handed out: {done.waited}, "
                f"continuations called: {done.continued}"
            )
