"""Workers: how many events a second they take from the request to the end of all that these start."""

import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection
from django.test.utils import override_settings
from redis import Redis

from automate.models import WorkflowRun
from automate_api.models import Execution, Job
from benchmarks.jobs.celery_app import app
from benchmarks.processes import Server
from benchmarks.workflows.parts import HANDLED, PURE, WORKING
from benchmarks.workflows.posting import Poster

#: What is measured: the name of each, and the type of its events. The others are beside the first.
CONTENDERS = {
    "a handler, no workflow": HANDLED,
    "a workflow of a pure step": PURE,
    "a workflow of a step that works": WORKING,
}
_PATIENCE = 300
_EMBEDDED = [sys.executable, "-m", "django", "automate_worker", "--concurrency", "4"]
_CELERY = [sys.executable, "-m", "celery", "-A", "benchmarks.jobs.celery_app", "worker", "--concurrency", "2"]
_CELERY += ["--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]


@dataclass(frozen=True, slots=True)
class Engine:
    """A worker's command line, and how it is handed jobs."""

    name: str
    command: list[str]
    dispatcher: str


def engines() -> list[Engine]:
    """The embedded one, and where the database is PostgreSQL, Celery."""
    found = [Engine("embedded, 4 threads", _EMBEDDED, "automate_api.dispatch.tasks.TasksDispatcher")]
    if connection.vendor == "postgresql":
        found.append(Engine("Celery, 2 processes", _CELERY, "automate_api.dispatch.celery.CeleryDispatcher"))
    return found


@dataclass
class Figures:
    """Events a second, and seconds of the worker's processor an event; one of each a round."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def ratio_to(self, other: "Figures") -> float:
        """How many times as many as the other: the median over the rounds, which both have met."""
        return statistics.median(own / theirs for own, theirs in zip(self.rates, other.rates, strict=True))


def measure(engine: Engine, poster: Poster, *, rounds: int, batches: int, events: int) -> dict[str, Figures]:
    """Everyone's figures: interleaved rounds, each of `batches` requests with `events` each."""
    found, names = {name: Figures() for name in CONTENDERS}, list(CONTENDERS)
    with override_settings(AUTOMATE_API_JOB_DISPATCHER=engine.dispatcher), _worker(engine) as worker:
        for kind in CONTENDERS.values():
            # What is made once is made here.
            _round(worker, poster, kind, batches=4, events=2)
        for number in range(rounds):
            start = number % len(names)
            for name in names[start:] + names[:start]:
                rate, cpu = _round(worker, poster, CONTENDERS[name], batches=batches, events=events)
                found[name].rates.append(rate)
                found[name].cpu.append(cpu)
    return found


def _round(worker: Server, poster: Poster, kind: str, *, batches: int, events: int) -> tuple[float, float]:
    runs, cpu, began = _ended_runs(), worker.cpu, time.perf_counter()
    for _batch in range(batches):
        poster.post(kind, events)
    _wait_for_ends()
    took, total = time.perf_counter() - began, batches * events
    if _ended_runs() != runs + (0 if kind == HANDLED else total):
        raise RuntimeError("Not every event has started its run.")
    return total / took, (worker.cpu - cpu) / total


def _ended_runs() -> int:
    return int(WorkflowRun.objects.filter(status=WorkflowRun.Status.SUCCEEDED).count())


def _wait_for_ends() -> None:
    """Wait until what was begun has ended; nothing may have failed."""
    end = time.monotonic() + _PATIENCE
    while Job.objects.unfinished().exists():
        if time.monotonic() > end:
            raise RuntimeError("Not everything that was begun has ended.")
        time.sleep(0.01)
    if Execution.objects.exclude(status=Execution.Status.SUCCEEDED).exists():
        raise RuntimeError("Not every execution has succeeded.")


@contextmanager
def _worker(engine: Engine) -> Iterator[Server]:
    log = Path(os.environ["BENCH_FOLDER"], "worker.log")
    with Server(engine.command, 0, log, {"BENCH_DISPATCHER": engine.dispatcher}) as worker:
        try:
            yield worker
        except BaseException:
            print(log.read_text(errors="replace")[-2000:])
            raise
    app.control.purge()
    with Redis.from_url(os.environ["BENCH_BROKER"]) as broker:
        for key in list(broker.scan_iter(f"*{app.conf.task_default_queue}*")):
            broker.delete(key)
