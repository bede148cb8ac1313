"""`python -m benchmarks.triggers [--triggers N] [--matching N]`: what one event costs that many triggers fit.

The database is SQLite in a temporary folder; `DATABASE_URL=postgres://…` names an empty one instead, which is filled.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import django
from cryptography.fernet import Fernet
from django.conf import settings

from benchmarks.requirements import require
from example_project.databases import database

require("celpy", "psutil")
FOLDER = tempfile.TemporaryDirectory(prefix="automate-triggers-")
settings.configure(
    USE_TZ=True,
    SECRET_KEY="only for benchmarks",
    DATABASES={"default": database(os.environ.get("DATABASE_URL") or f"sqlite:///{Path(FOLDER.name)}/db.sqlite3")},
    INSTALLED_APPS=[
        *("django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_filters"),
        *("drf_spectacular", "corsheaders", "automate_api", "automate"),
    ],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    AUTOMATE_API_ENCRYPTION_KEYS=[Fernet.generate_key().decode()],
)
django.setup()

import psutil  # noqa: E402 - it is there
from django.contrib.auth import get_user_model  # noqa: E402 - as all below: Django is ready
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402

from automate.handlers import wanted  # noqa: E402
from automate.models import Trigger, Workflow, WorkflowVersion  # noqa: E402
from automate.services.starting import start_for  # noqa: E402
from automate_api.models import Event  # noqa: E402

DEFINITION = {"steps": [{"name": "note", "type": "set", "with": {"values": {"n": {"path": "$.event.payload.n"}}}}]}
ROUNDS = 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--triggers", type=int, default=10_000, help="triggers with conditions of their own (10000)")
    parser.add_argument("--matching", type=int, default=10, help="of them, those whose condition holds (10)")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    fill(options.triggers, options.matching)
    print(f"{connection.vendor}, {options.triggers} triggers, load {os.getloadavg()[0]:.1f}\n")
    print(f"{'':26}{'runs':>8}{'wall s':>10}{'CPU s':>10}{'queries':>10}{'memory':>12}")
    for number in range(ROUNDS):
        one_event("first event" if number == 0 else "another event")
    print()
    for name, types in (("one type", {"order.paid"}), ("1,000 types", {f"stock.{n}" for n in range(1000)})):
        begun = time.perf_counter()
        wanted("acme", types)
        print(f"is it wanted, {name:12}{(time.perf_counter() - begun) * 1000:10.1f} ms")


def fill(number: int, matching: int) -> None:
    """So many workflows with a trigger each, all for the same events."""
    owner = get_user_model().objects.create(username="owner", is_staff=True)
    rows: Any = (
        Workflow(tenant_id="acme", name=f"w{n}", slug=f"w{n}", owner=owner, definition=DEFINITION, condition=rule)
        for n, rule in enumerate(_rule(n, holds=n < matching) for n in range(number))
    )
    Workflow.objects.bulk_create(rows, batch_size=500)
    ids = list(Workflow.objects.values_list("pk", flat=True))
    versions = (WorkflowVersion(workflow_id=pk, version=1, definition=DEFINITION) for pk in ids)
    WorkflowVersion.objects.bulk_create(versions, batch_size=500)
    triggers = (Trigger(tenant_id="acme", workflow_id=pk, name="t", kind="event", pattern="order.*") for pk in ids)
    Trigger.objects.bulk_create(triggers, batch_size=500)


def _rule(number: int, *, holds: bool) -> str:
    least = 0 if holds else 1000
    return f"event.payload.n != -{number} && event.payload.total > {least}.5 && event.payload.country in ['AT', 'DE']"


def one_event(name: str) -> None:
    """Handle one event, and say what it took."""
    event = Event.objects.create(
        tenant_id="acme",
        type="order.paid",
        source="shop",
        payload={"n": 7, "total": 150, "country": "AT"},
        occurred_at=timezone.now(),
        correlation_id="c",
    )
    memory, begun, worked = psutil.Process().memory_info().rss, time.perf_counter(), time.process_time()
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        runs = start_for(event)
    wall, cpu = time.perf_counter() - begun, time.process_time() - worked
    grown = (psutil.Process().memory_info().rss - memory) / 1024 / 1024
    print(f"{name:26}{runs:>8}{wall:>10.2f}{cpu:>10.2f}{len(queries):>10}{grown:>8.1f} MiB")


if __name__ == "__main__":
    main()
