"""The Celery application of the benchmark, and its bare task: it does what the capability does."""

import os

import django
from celery import Celery

from benchmarks.jobs.notes import note

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.jobs.settings")
django.setup()

app = Celery("bench", broker=os.environ["BENCH_BROKER"], set_as_current=True)
app.conf.update(
    imports=["automate_api.dispatch.celery"],
    task_default_queue=f"automate-bench-{os.environ['BENCH_RUN']}",
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
)
# Celery closes every database connection before and after each task, unless told to keep it for so many.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000


@app.task(name="bench.note", ignore_result=True)
def note_by_celery(key: str) -> None:
    """Note when it began."""
    note(key)
