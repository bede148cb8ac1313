"""What an event costs the database until all that it starts has ended, counted in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db.backends.utils import CursorWrapper

from automate_api.models import Job
from automate_api.services.attempts import work_on
from benchmarks.workflows.posting import Poster

# What only brackets others.
_BRACKETS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def per_event(poster: Poster, kind: str, *, events: int) -> float:
    """Statements an event, of `events` in one request; without the queue's own, and what is asked once a process."""
    _work_off(poster, kind, events)
    with _counting() as said:
        _work_off(poster, kind, events)
    return len(said) / events


def _work_off(poster: Poster, kind: str, events: int) -> None:
    poster.post(kind, events)
    while due := list(Job.objects.due().order_by("pk").values_list("pk", flat=True)):
        for pk in due:
            work_on(pk)


@contextmanager
def _counting() -> Iterator[list[str]]:
    """The statements of every thread of this process, but for brackets and looks at the queue."""
    found: list[str] = []
    execute, executemany = CursorWrapper.execute, CursorWrapper.executemany

    def note(method: Any, cursor: Any, sql: str, *rest: Any) -> Any:
        if not sql.startswith(_BRACKETS) and "django_tasks" not in sql:
            found.append(sql)
        return method(cursor, sql, *rest)

    with (
        patch.object(CursorWrapper, "execute", lambda *args: note(execute, *args)),
        patch.object(CursorWrapper, "executemany", lambda *args: note(executemany, *args)),
    ):
        yield found
