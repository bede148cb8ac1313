"""`manage.py seed_demo [--json]`."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from example_project.tenants.passwords import ADMIN, demo_password
from example_project.tenants.seeding import seed


class Command(BaseCommand):
    """Make the demo's tenants and users, or find them again, and issue each user a new API key."""

    help = "Make the demo's tenants and users, or find them again, and issue each user a new API key."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--json`: one line of JSON on standard output and nothing else."""
        parser.add_argument("--json", action="store_true", help="print one line of JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, then print who there is."""
        try:
            seeded = seed()
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(f"The database is not ready ({error}). Run `migrate` first.") from error
        if options["json"]:
            self.stdout.write(json.dumps(seeded))
        else:
            self.show(seeded)

    def show(self, seeded: dict[str, Any]) -> None:
        """Print the users for a person to read."""
        self.stdout.write(f"{ADMIN:<14} {demo_password(ADMIN)}  (Django admin only)")
        for tenant in seeded["tenants"]:
            for user in tenant["users"]:
                self.stdout.write(f"{user['username']:<14} {user['password']}  {user['api_key']}")
