"""What a job costs the database, counted in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from django.db import connection

from automate_api.models import Job
from automate_api.services.attempts import work_on
from benchmarks.jobs.seed import Host


@dataclass
class Counted:
    """SQL statements, without `BEGIN` and `COMMIT`, and how often something was committed."""

    name: str
    statements: list[str] = field(default_factory=list)
    commits: int = 0


def counted(host: Host) -> list[Counted]:
    """Making a job, and working on one; the second of each, for the first makes what is made once."""
    work_on(host.create_job("first").pk)
    with _counting("create_job, with what the queue stores") as making:
        job = host.create_job("second")
    with _counting("work_on, without the queue's own") as working:
        work_on(job.pk)
    job.refresh_from_db()
    if job.status != Job.Status.SUCCEEDED:
        raise RuntimeError(f"The job has not succeeded: {job.status} {job.error}")
    return [making, working]


@contextmanager
def _counting(name: str) -> Iterator[Counted]:
    found = Counted(name)

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        found.statements.append(sql)
        return execute(sql, *rest)

    def commit() -> None:
        found.commits += 1
        connection.connection.commit()

    with connection.execute_wrapper(note), patch.object(connection, "_commit", commit):
        yield found
