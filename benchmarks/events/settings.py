"""The host of `benchmarks/routes` with a queue in the database, and the events of three frameworks.

`BENCH_DATABASE` and `BENCH_REDIS` are URLs. Database connections are kept, for everybody alike.
"""

from importlib.util import find_spec

from benchmarks.host import settings as gateway
from benchmarks.routes import settings as host

SECRET_KEY, DEBUG, ALLOWED_HOSTS, USE_TZ = host.SECRET_KEY, host.DEBUG, host.ALLOWED_HOSTS, host.USE_TZ
DEFAULT_AUTO_FIELD, MIDDLEWARE, DATABASES = host.DEFAULT_AUTO_FIELD, host.MIDDLEWARE, host.DATABASES
CACHES, LOGGING, SILENCED_SYSTEM_CHECKS = host.CACHES, host.LOGGING, host.SILENCED_SYSTEM_CHECKS
ROOT_URLCONF = "benchmarks.events.urls"
INSTALLED_APPS = [
    *(app for app in host.INSTALLED_APPS if app != "benchmarks.routes"),
    "django_tasks_db",
    "benchmarks.events",
]
if find_spec("django.tasks") is None:
    INSTALLED_APPS.append("django_tasks")
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

AUTOMATE_API_ENCRYPTION_KEYS = host.AUTOMATE_API_ENCRYPTION_KEYS
AUTOMATE_API_RATE_LIMIT = host.AUTOMATE_API_RATE_LIMIT
AUTOMATE_API_REDACT_PATTERNS = gateway.AUTOMATE_API_REDACT_PATTERNS
