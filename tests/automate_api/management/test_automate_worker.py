"""`manage.py automate_worker` ends when it is told to: after what runs, or, told twice, at once."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.jobs.workers import Hall, Process, hall
from tests.servers import until

pytestmark = pytest.mark.slow


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Hall]:
    with hall("tasks", f"sqlite:///{tmp_path}/db.sqlite3", tmp_path, JOBS_LEASE="2") as opened:
        yield opened


def at_work(host: Hall, *, count: int, jobs: int = 1) -> Process:
    """A worker that has begun a job of `count` tenths of a second."""
    host.ask("make", jobs=jobs, count=count, pause=0.1)
    worker = host.start_worker()
    assert until(lambda: host.ask("statuses").get("running"), seconds=60)
    return worker


def ended(worker: Process) -> int:
    """Its exit status; it has a minute, whatever else the machine has to do."""
    return int(worker.popen.wait(60))


def test_told_once_it_finishes_what_runs_and_begins_nothing(host: Hall) -> None:
    worker = at_work(host, count=15, jobs=9)
    worker.popen.send_signal(signal.SIGTERM)
    assert ended(worker) == 0
    assert worker.says("Stopped.", seconds=0)
    statuses = host.ask("statuses")
    assert set(statuses) == {"succeeded", "queued"}
    assert statuses["succeeded"] <= 4


def test_told_twice_it_ends_at_once_and_the_next_worker_has_its_jobs(host: Hall) -> None:
    worker = at_work(host, count=30)
    worker.popen.send_signal(signal.SIGTERM)
    assert worker.lives(0.3)
    worker.popen.send_signal(signal.SIGTERM)
    assert ended(worker) == 1
    assert host.ask("statuses") == {"running": 1}
    host.start_worker()
    assert host.all_end(seconds=30)
    assert (host.ask("statuses"), host.ask("attempts"), host.ask("faults")) == ({"succeeded": 1}, {"2": 1}, [])


def test_a_host_without_the_queue_is_told_what_it_needs() -> None:
    with pytest.raises(CommandError, match=r"needs django-automate-api\[worker\], and django_tasks_db"):
        call_command("automate_worker")


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"JOBS_QUEUE": "celery"}, "needs django-automate-api[worker]"),
        ({"JOBS_DISPATCHER": "automate_api.dispatch.celery.CeleryDispatcher"}, "workers of its own"),
        ({"JOBS_BACKEND": "immediate"}, "is not a queue in the database"),
    ],
)
def test_a_host_whose_jobs_go_elsewhere_is_told_so(host: Hall, env: dict[str, str], message: str) -> None:
    worker = host.start_worker(**env)
    assert ended_with_error(worker)
    assert message in worker.log.read_text()


def ended_with_error(worker: Process) -> bool:
    return worker.popen.wait(60) == 1
