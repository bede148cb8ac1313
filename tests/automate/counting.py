"""What is asked of the database, by whichever thread of this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db.backends.utils import CursorWrapper

#: What a statement begins with that only brackets others.
BRACKETS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@contextmanager
def counting() -> Iterator[list[str]]:
    """The statements that are executed inside, but for those that begin and end transactions and savepoints."""
    found: list[str] = []
    execute, executemany = CursorWrapper.execute, CursorWrapper.executemany

    def note(method: Any, cursor: Any, sql: str, *rest: Any) -> Any:
        if not sql.startswith(BRACKETS):
            found.append(sql)
        return method(cursor, sql, *rest)

    with (
        patch.object(CursorWrapper, "execute", lambda *args: note(execute, *args)),
        patch.object(CursorWrapper, "executemany", lambda *args: note(executemany, *args)),
    ):
        yield found
