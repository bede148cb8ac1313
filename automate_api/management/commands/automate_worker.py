"""`manage.py automate_worker`: worker, reaper and duties in one process, on the queue in the database."""

import logging
import os
import signal
import threading
import time
from argparse import ArgumentParser
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error, close_old_connections
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.services.duties import Rounds
from automate_api.services.reaper import reap

logger = logging.getLogger("automate_api")

#: Seconds between two rounds of the reaper, and of the duties.
REAP_EVERY = 1.0


class Command(BaseCommand):
    """The embedded case: `TASKS` names django-tasks-db's backend. Start as many as you like."""

    help = str(_("Work on jobs, and return those of workers that have died."))

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--concurrency`, `--interval`."""
        parser.add_argument("--concurrency", type=int, default=4, help=str(_("Jobs at once (4).")))
        parser.add_argument(
            "--interval", type=float, default=0.03, help=str(_("Seconds between two looks at an empty queue (0.03)."))
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until told to stop; what runs then is finished first, unless told a second time."""
        stop = threading.Event()
        queue = _queue(stop)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: _stop(stop))
        slots = threading.Semaphore(options["concurrency"])

        def done(future: Future[None]) -> None:
            slots.release()
            if exc := future.exception():
                logger.error("The worker could not take from its queue: %s", type(exc).__name__)

        self.stdout.write(f"Working on {options['concurrency']} jobs at once.")
        reaper = threading.Thread(target=_look_after, args=(stop, self), name="automate-reaper", daemon=True)
        reaper.start()
        with ThreadPoolExecutor(options["concurrency"], "automate-worker") as threads:
            while not stop.is_set():
                if queue.has_work() and slots.acquire(timeout=1):
                    threads.submit(queue.work).add_done_callback(done)
                else:
                    stop.wait(options["interval"])
            queue.stop()
        self.stdout.write("Stopped.")


class _Queue:
    """The queue of django-tasks-db."""

    def __init__(self, worker: Any, ready: Any, stop: threading.Event) -> None:
        self._worker, self._ready, self._stop = worker, ready, stop
        self._at_work: set[Any] = set()

    def has_work(self) -> bool:
        """Whether a task is due. It only reads: a worker that looks for one locks out every writer of SQLite."""
        try:
            close_old_connections()
            return bool(self._ready().exists())
        except Error:
            time.sleep(1)
            return False

    def work(self) -> None:
        """Do one task after the other until there is none, or the worker is told to stop."""
        worker = self._worker()
        self._at_work.add(worker)
        try:
            if not self._stop.is_set():
                worker.run()
        finally:
            self._at_work.discard(worker)
            close_old_connections()

    def stop(self) -> None:
        """Have nobody begin another task; the event is set."""
        for worker in tuple(self._at_work):
            worker.running = False


def _queue(stop: threading.Event) -> _Queue:
    """The queue that the host's dispatcher enqueues on.

    Raises:
        CommandError: it is not one in the database, or what it takes is not installed.
    """
    try:
        from django_tasks_db import DatabaseBackend  # noqa: PLC0415
        from django_tasks_db.management.commands.db_worker import Worker  # noqa: PLC0415
        from django_tasks_db.models import DBTaskResult  # noqa: PLC0415
    except (ImportError, RuntimeError) as exc:
        raise CommandError(
            "The embedded worker needs django-automate-api[worker], and django_tasks_db in INSTALLED_APPS."
        ) from exc
    from automate_api.dispatch.tasks import QUEUE, TasksDispatcher, backend_of  # noqa: PLC0415

    dispatcher = import_string(settings.job_dispatcher)
    if not issubclass(dispatcher, TasksDispatcher):
        raise CommandError("AUTOMATE_API_JOB_DISPATCHER names a dispatcher with workers of its own: start one of them.")
    if not isinstance(backend_of(dispatcher), DatabaseBackend):
        raise CommandError(f"TASKS[{dispatcher.backend!r}] is not a queue in the database.")
    names = {"backend_name": dispatcher.backend}

    def worker() -> Any:
        return Worker(
            queue_names=[QUEUE],
            interval=0,
            batch=True,
            **names,
            startup_delay=False,
            max_tasks=None,
            worker_id=f"automate-{threading.get_ident()}",
            excluded_queue_names=[],
        )

    return _Queue(worker, lambda: DBTaskResult.objects.ready().filter(queue_name=QUEUE, **names), stop)


def _look_after(stop: threading.Event, command: BaseCommand) -> None:
    rounds = Rounds()
    while not stop.wait(REAP_EVERY):
        try:
            reap()
        except Exception as exc:  # noqa: BLE001 - a thread that ends here would return nothing any more
            command.stderr.write(f"The reaper failed, and goes on: {type(exc).__name__}")
        finally:
            close_old_connections()
        rounds.go()


def _stop(stop: threading.Event) -> None:
    if stop.is_set():
        # No exit waits for threads as this one does not: whatever they hold is returned when its lease is over.
        os._exit(1)
    stop.set()
