"""Settings of the host of killed jobs; the environment chooses the database, the queue and the clock."""

import os
from importlib.util import find_spec

from tests.hosts import ground
from tests.hosts.ground import *  # noqa: F403
from tests.hosts.jobs import clock

clock.shift(float(os.environ.get("JOBS_CLOCK_OFFSET", "0")))

ROOT_URLCONF = "tests.hosts.single.urls"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [*ground.USERS, *ground.NEEDED, "automate_api", "automate", "tests.hosts.jobs"]
QUEUE = os.environ.get("JOBS_QUEUE", "tasks")
FOLDER = os.environ["JOBS_FOLDER"]
AUTOMATE_API_PRIVATE_HOSTS = ["127.0.0.1"]

AUTOMATE_API_LEASE = float(os.environ.get("JOBS_LEASE", "2"))
AUTOMATE_API_HEARTBEAT = AUTOMATE_API_LEASE / 4
AUTOMATE_API_JOB_ATTEMPTS = int(os.environ.get("JOBS_ATTEMPTS", "50"))
AUTOMATE_API_JOB_BACKOFF, AUTOMATE_API_JOB_JITTER = 0.1, 0.1

if QUEUE == "celery":
    # Every process that enqueues must know the app, so it is imported where each begins.
    from tests.hosts.jobs.worker import app  # noqa: F401

    AUTOMATE_API_JOB_DISPATCHER = "automate_api.dispatch.celery.CeleryDispatcher"
else:
    INSTALLED_APPS += ["django_tasks_db"] if find_spec("django.tasks") else ["django_tasks", "django_tasks_db"]
    TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    if "JOBS_BACKEND" in os.environ:
        tasks = "django.tasks" if find_spec("django.tasks") else "django_tasks"
        TASKS["default"]["BACKEND"] = f"{tasks}.backends.{os.environ['JOBS_BACKEND']}.ImmediateBackend"
    if "JOBS_DISPATCHER" in os.environ:
        AUTOMATE_API_JOB_DISPATCHER = os.environ["JOBS_DISPATCHER"]
