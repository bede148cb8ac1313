"""The bare task of Django Tasks."""

from typing import Any

from automate_api.dispatch.tasks import task
from benchmarks.jobs.notes import note


@task
def note_by_tasks(key: str) -> bool:
    """Note when it began."""
    note(key)
    return True


bare: Any = note_by_tasks
