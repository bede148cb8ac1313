"""Two workers at one queue, one of which has a clock that is wrong by more than a lease.

`AUTOMATE_TEST_JOBS` is the number of jobs in the queue (200).
"""

import os
import time
from pathlib import Path

import pytest

from tests.jobs.workers import hall

pytestmark = pytest.mark.slow

JOBS = int(os.environ.get("AUTOMATE_TEST_JOBS") or 200)


@pytest.mark.slow
@pytest.mark.parametrize(("database", "offset"), [("sqlite", 5), ("postgres", -5)])
def test_no_job_is_run_by_both_and_all_end(
    database: str, offset: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgres" else f"sqlite:///{tmp_path}/db.sqlite3"
    with hall("tasks", url, tmp_path, JOBS_LEASE="3") as host:
        host.ask("make", jobs=JOBS, steps=1, pause=0.005)
        began = time.monotonic()
        workers = [host.start_worker(), host.start_worker(JOBS_CLOCK_OFFSET=str(offset))]
        assert all(host.is_ready(worker) for worker in workers)
        assert host.all_end(seconds=60 + JOBS / 4), host.ask("statuses")
        took = time.monotonic() - began
        print(f"{JOBS} jobs, {database}, offset {offset} s: {took:.1f} s, attempts {host.ask('attempts')}")
        assert host.ask("faults") == []
        assert host.ask("statuses") == {"succeeded": JOBS}
        assert all(worker.lives(0) for worker in workers)
        assert host.ask("attempts") == {"1": JOBS}
