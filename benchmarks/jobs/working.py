"""Workers: how soon they begin what is enqueued, and how much they get done."""

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.db import connection
from django.test.utils import override_settings
from django_tasks_db.models import DBTaskResult
from redis import Redis

from automate_api.models import Execution, Job
from benchmarks.jobs.celery_app import app, note_by_celery
from benchmarks.jobs.notes import Notes
from benchmarks.jobs.seed import Host
from benchmarks.jobs.tasks import bare
from benchmarks.processes import Server

OURS, OURS_DEFAULT, TASKS = "automate_worker", "automate_worker, 4 at once", "django-tasks-db, bare"
OURS_CELERY, CELERY = "automate by Celery", "Celery, bare"

#: Seconds between two looks at the queue in the database, everybody's.
INTERVAL = "0.03"
_PATIENCE = 120
_MANAGE = [sys.executable, "-m", "django"]
_EMBEDDED = [*_MANAGE, "automate_worker", "--interval", INTERVAL, "--concurrency"]
_BARE = [*_MANAGE, "db_worker", "--interval", INTERVAL, "--no-startup-delay", "--verbosity", "0"]
_CELERY = [sys.executable, "-m", "celery", "-A", "benchmarks.jobs.celery_app", "worker", "--concurrency", "1"]
_CELERY += ["--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
_TASKS_DISPATCHER = "automate_api.dispatch.tasks.TasksDispatcher"
_CELERY_DISPATCHER = "automate_api.dispatch.celery.CeleryDispatcher"


@dataclass(frozen=True, slots=True)
class Contender:
    """A worker's command line, and how to give it something to do.

    `beside` is the engine underneath; None for an engine.
    """

    name: str
    command: list[str]
    enqueue: Callable[[str], Any]
    dispatcher: str = _TASKS_DISPATCHER
    beside: str | None = None


@dataclass
class Figures:
    """What was measured of one: seconds, jobs a second and seconds of processor a job, one a round."""

    calling: list[float] = field(default_factory=list)
    starting: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: float = 0.0


def everyone(host: Host, only: list[str]) -> list[Contender]:
    """All, or those whose names have one of the parts `only`."""
    made = [
        Contender(OURS, [*_EMBEDDED, "1"], host.create_job, beside=TASKS),
        Contender(OURS_DEFAULT, [*_EMBEDDED, "4"], host.create_job, beside=TASKS),
        Contender(TASKS, _BARE, bare.enqueue),
        Contender(OURS_CELERY, _CELERY, host.create_job, _CELERY_DISPATCHER, beside=CELERY),
        Contender(CELERY, _CELERY, note_by_celery.delay),
    ]
    return [contender for contender in made if any(part in contender.name for part in only)]


def measure(contenders: list[Contender], *, rounds: int, jobs: int, starts: int) -> dict[str, Figures]:
    """Everyone once a round, each round begun by the next, with no other worker alive."""
    found, notes = {contender.name: Figures() for contender in contenders}, Notes()
    for number in range(rounds):
        start = number % len(contenders)
        for contender in contenders[start:] + contenders[:start]:
            with override_settings(AUTOMATE_API_JOB_DISPATCHER=contender.dispatcher):
                _round(contender, found[contender.name], notes, jobs=jobs, starts=starts)
    _leave_broker()
    return found


def _leave_broker() -> None:
    """Delete what Celery keeps of this run's queue."""
    client = Redis.from_url(os.environ["BENCH_BROKER"])
    for key in list(client.scan_iter(f"*{app.conf.task_default_queue}*")):
        client.delete(key)
    client.close()


def _round(contender: Contender, found: Figures, notes: Notes, *, jobs: int, starts: int) -> None:
    """A worker that finds `jobs` waiting, and then `starts` more one by one."""
    waiting = [uuid4().hex for _ in range(jobs)]
    for key in waiting:
        contender.enqueue(key)
    with _worker(contender) as worker:
        # The first ones are slower: connections are opened and statements compiled.
        first = len(waiting) // 10
        begun = sorted(notes.wait(set(waiting[:first]), _PATIENCE).values())
        before = worker.cpu
        begun += notes.wait(set(waiting[first:]), _PATIENCE).values()
        found.cpu.append((worker.cpu - before) / (jobs - first))
        begun.sort()
        found.rates.append((len(begun) - 1 - first) / (begun[-1] - begun[first]))
        for _ in range(starts):
            time.sleep(random.uniform(0.05, 0.12))
            _start(contender, found, notes)
        found.memory = max(found.memory, worker.memory)
        _wait_for_ends()


def _start(contender: Contender, found: Figures, notes: Notes) -> None:
    key, before = uuid4().hex, time.time()
    contender.enqueue(key)
    found.calling.append(time.time() - before)
    found.starting.append(notes.wait({key}, _PATIENCE)[key] - before)


@contextmanager
def _worker(contender: Contender) -> Iterator[Server]:
    log = Path(os.environ["BENCH_FOLDER"], "worker.log")
    with Server(contender.command, 0, log, {"BENCH_DISPATCHER": contender.dispatcher}) as worker:
        try:
            yield worker
        except BaseException:
            print(log.read_text(errors="replace")[-2000:])
            raise
    connection.close()
    app.control.purge()


def _wait_for_ends() -> None:
    """Wait until what was begun has ended; nothing may have failed."""
    end = time.monotonic() + _PATIENCE
    while Job.objects.unfinished().exists() or DBTaskResult.objects.exclude(status="SUCCESSFUL").exists():
        if time.monotonic() > end:
            raise RuntimeError("Not everything that was begun has ended well.")
        time.sleep(0.05)
    if Execution.objects.exclude(status=Execution.Status.SUCCEEDED).exists():
        raise RuntimeError("Not every execution has succeeded.")
