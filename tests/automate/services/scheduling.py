"""Settings of schedulers in processes of their own, where jobs wait for workers that nobody starts.

As a program it fills an empty database with schedules that are due: `python -m tests.automate.services.scheduling 300`.
"""

import sys
from datetime import UTC, datetime, timedelta

from tests.settings import *  # noqa: F403

AUTOMATE_API_JOB_DISPATCHER = "tests.jobs.making.NotingDispatcher"


def fill(number: int) -> None:
    """Migrate, and make so many schedules, each due at a time of its own within the last hour."""
    import django  # noqa: PLC0415

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from automate.models import Trigger  # noqa: PLC0415
    from tests.automate.services.starts import flow, make_trigger  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    workflow, now = flow(), datetime.now(UTC)
    for second in range(number):
        # In a year's time, so that nothing is due but what is set here.
        trigger = make_trigger(workflow, kind="schedule", schedule=f"0 0 {(now - timedelta(days=2)).day} {now.month} *")
        Trigger.objects.filter(pk=trigger.pk).update(next_due=now - timedelta(seconds=second + 1))


if __name__ == "__main__":
    fill(int(sys.argv[1]))
