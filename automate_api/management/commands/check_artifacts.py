"""`manage.py check_artifacts`: find artifacts without their files, and files without an artifact."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext_lazy as _

from automate_api.exceptions import AutomateError
from automate_api.management.progress import progress
from automate_api.services.artifact_check import Found, Looked, check_files, check_rows, count_artifacts


class Command(BaseCommand):
    """Ends with 1 where something is wrong and was not mended."""

    help = str(
        _(
            "Find artifacts whose file is missing or another, and files that have no artifact. "
            "A file that is younger than an hour may be an upload at work: it is told of, and not touched."
        )
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--verify` and `--delete`."""
        options = {
            "--verify": _("Read every file, and compare its SHA-256."),
            "--delete": _("Delete files without an artifact that are older than an hour."),
        }
        for name, meaning in options.items():
            parser.add_argument(name, action="store_true", help=str(meaning))

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what is found as it is found, and how much was looked at."""
        try:
            wrong = self._tell("artifacts", check_rows(verify=options["verify"]))
            wrong += self._tell("files", check_files(delete=options["delete"]))
        except AutomateError as exc:
            raise CommandError(str(exc.detail)) from exc
        if wrong:
            raise CommandError(str(_("Wrong and not mended: %d.")) % wrong)

    def _tell(self, label: str, looks: Iterator[Looked]) -> int:
        """Print what is found; how much of it is wrong."""
        # How many files there are nobody knows; about as many as artifacts.
        total, looked, wrong = count_artifacts(), 0, 0
        for look in progress(looks, total=total, label=label, stream=self.stderr, size=lambda look: look.count):
            for found in look.found:
                self.stdout.write(_line(found))
            looked += look.count
            wrong += sum(found.finding.is_wrong for found in look.found)
        self.stdout.write(f"{label}: {looked} looked at, {wrong} wrong")
        return wrong


def _line(found: Found) -> str:
    # Whoever can write into the storage chooses the name; what a terminal would obey is not printed.
    name = found.file if found.file.isprintable() else ascii(found.file)
    return f"{found.finding}: {name}" + (f" (artifact {found.artifact})" if found.artifact else "")
