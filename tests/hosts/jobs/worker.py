"""The Celery app of the host: `celery -A tests.hosts.jobs.worker worker`."""

import os

from celery import Celery

app = Celery("jobs", broker=os.environ["JOBS_BROKER"])
app.conf.update(
    imports=["automate_api.dispatch.celery"],
    task_default_queue=os.environ["JOBS_BROKER_QUEUE"],
    # Whatever it leaves in Redis, such as what a dead worker had taken, goes by this name.
    broker_transport_options={"global_keyprefix": os.environ["JOBS_BROKER_QUEUE"]},
    # A message is taken when somebody can work on it: of what a dead worker has taken, Redis knows for an hour.
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)
