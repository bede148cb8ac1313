"""The host of `benchmarks/jobs` with workflows. Database connections are kept, for everybody alike."""

from importlib.util import find_spec

from benchmarks.jobs import settings as host

SECRET_KEY, DEBUG, ALLOWED_HOSTS, USE_TZ = host.SECRET_KEY, host.DEBUG, ["testserver"], host.USE_TZ
MIDDLEWARE, DEFAULT_AUTO_FIELD, CACHES, LOGGING = host.MIDDLEWARE, host.DEFAULT_AUTO_FIELD, host.CACHES, host.LOGGING
DATABASES, TASKS, ROOT_URLCONF = host.DATABASES, host.TASKS, "automate_api.urls"
INSTALLED_APPS = [*host.INSTALLED_APPS, "automate", "benchmarks.workflows"]
if find_spec("django.tasks") is None and "django_tasks" not in INSTALLED_APPS:
    INSTALLED_APPS.append("django_tasks")

AUTOMATE_API_ENCRYPTION_KEYS = host.AUTOMATE_API_ENCRYPTION_KEYS
AUTOMATE_API_JOB_DISPATCHER = host.AUTOMATE_API_JOB_DISPATCHER
AUTOMATE_API_RATE_LIMIT = None
SILENCED_SYSTEM_CHECKS = host.SILENCED_SYSTEM_CHECKS
