"""Workers in processes of their own, which may be killed, and a process that makes jobs and looks at them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil
import redis

from tests.servers import ROOT, until
from tests.services import REDIS_URL

BROKER = os.environ.get("AUTOMATE_TEST_BROKER_URL") or REDIS_URL.rpartition("/")[0] + "/14"

#: Queue → the command line of its worker, and what that says when it is ready.
WORKERS = {
    "tasks": ("django automate_worker --concurrency 4", "Working on"),
    "celery": ("celery -A tests.hosts.jobs.worker worker -P prefork -c 4 --without-mingle --loglevel INFO", "ready."),
}
REAPER = "django reap_jobs --every 0.5"


@dataclass
class Process:
    """A process, in a group of its own, and its log."""

    popen: subprocess.Popen[Any]
    log: Path

    def says(self, text: str, *, seconds: float = 60) -> bool:
        """Whether it says `text` before `seconds` have passed."""
        return until(lambda: text in self.log.read_text(errors="replace"), seconds=seconds)

    def lives(self, seconds: float) -> bool:
        """Whether it is alive after `seconds`."""
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def kill(self) -> None:
        """`kill -9` of it and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def kill_a_child(self) -> bool:
        """`kill -9` of one of its children; False where it has none."""
        children = psutil.Process(self.popen.pid).children()
        if children:
            children[-1].kill()
        return bool(children)


@dataclass
class Hall:
    """A database, a queue, and the processes at work on them."""

    queue: str
    folder: Path
    env: dict[str, str]
    processes: list[Process] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._control = subprocess.Popen(
            [sys.executable, "-m", "tests.hosts.jobs.control"],
            env=self.env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ask("setup")
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self.processes:
            process.kill()
        self._control.kill()
        self._control.communicate()
        if self.queue == "celery":
            with redis.Redis.from_url(BROKER) as broker:
                broker.delete(*broker.keys(f"{self.env['JOBS_BROKER_QUEUE']}*") or ["none"])

    def ask(self, name: str, **arguments: Any) -> Any:
        """What the function `name` of `tests.hosts.jobs.control` returns."""
        assert self._control.stdin is not None
        assert self._control.stdout is not None
        self._control.stdin.write(json.dumps([name, arguments]) + "\n")
        self._control.stdin.flush()
        return json.loads(self._control.stdout.readline())

    def start(self, command: str, **env: str) -> Process:
        """Start `python -m <command>`."""
        log = self.folder / f"{len(self.processes)}-{command.split(maxsplit=1)[0]}.log"
        with log.open("wb") as output:
            popen = subprocess.Popen(
                [sys.executable, "-m", *command.split()],
                env={**self.env, **env},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(Process(popen, log))
        return self.processes[-1]

    def start_worker(self, **env: str) -> Process:
        """Start a worker of the queue; it need not be ready yet."""
        return self.start(WORKERS[self.queue][0], **env)

    def is_ready(self, worker: Process) -> bool:
        """Whether the worker becomes ready."""
        return worker.says(WORKERS[self.queue][1])

    def all_end(self, *, seconds: float) -> bool:
        """Whether all jobs end before `seconds` have passed."""
        return until(lambda: self.ask("unfinished") == 0, seconds=seconds)


@contextlib.contextmanager
def hall(queue: str, database_url: str, folder: Path, **env: str) -> Iterator[Hall]:
    """Everything but the workers. With Celery the reaper has a process of its own."""
    own = {
        "DJANGO_SETTINGS_MODULE": "tests.hosts.jobs.settings",
        "AUTOMATE_TEST_DATABASE_URL": database_url,
        "JOBS_QUEUE": queue,
        "JOBS_FOLDER": str(folder),
        "JOBS_BROKER": BROKER,
        "JOBS_BROKER_QUEUE": f"jobs-{uuid.uuid4().hex}",
        "PYTHONUNBUFFERED": "1",
    }
    with Hall(queue, folder, {**os.environ, "PYTHONPATH": str(ROOT), **own, **env}) as opened:
        if queue == "celery":
            opened.start(REAPER)
        yield opened
