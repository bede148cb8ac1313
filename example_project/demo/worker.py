"""The demo's worker: `python -m example_project.demo.worker` works on jobs until its standard input ends."""

import os
import signal
import sys
import threading

from django.core.management import execute_from_command_line


def work() -> None:
    """`manage.py automate_worker`, stopped in order when the process that started this one is gone."""

    def stop_with_starter() -> None:
        os.read(sys.stdin.fileno(), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop_with_starter, daemon=True).start()
    execute_from_command_line(["manage.py", "automate_worker", "--concurrency", "2"])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    work()
