"""The host of `benchmarks/host` with a queue in the database.

`BENCH_DATABASE` and `BENCH_BROKER` are URLs, `BENCH_NOTES` a file, `BENCH_DISPATCHER` a dotted path. Database
connections are kept, for everybody alike.
"""

import os
from importlib.util import find_spec

from benchmarks.host import settings as host
from example_project.databases import database

SECRET_KEY, DEBUG, ALLOWED_HOSTS, USE_TZ = host.SECRET_KEY, host.DEBUG, host.ALLOWED_HOSTS, host.USE_TZ
ROOT_URLCONF, MIDDLEWARE, DEFAULT_AUTO_FIELD = host.ROOT_URLCONF, host.MIDDLEWARE, host.DEFAULT_AUTO_FIELD
CACHES, LOGGING = host.CACHES, host.LOGGING
INSTALLED_APPS = [*host.INSTALLED_APPS, "django_tasks_db", "benchmarks.jobs"]
if find_spec("django.tasks") is None:
    INSTALLED_APPS.append("django_tasks")

DATABASES = {"default": database(os.environ["BENCH_DATABASE"]) | {"CONN_MAX_AGE": None}}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

AUTOMATE_API_ENCRYPTION_KEYS = host.AUTOMATE_API_ENCRYPTION_KEYS
AUTOMATE_API_JOB_DISPATCHER = os.environ.get("BENCH_DISPATCHER", "automate_api.dispatch.tasks.TasksDispatcher")
SILENCED_SYSTEM_CHECKS = ["automate_api.W005"]
