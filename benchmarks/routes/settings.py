"""A host that has its own rows in three frameworks, and the package.

`BENCH_DATABASE` and `BENCH_REDIS` are URLs. Database connections are kept between requests.
"""

import base64
import os

from example_project.databases import database

SECRET_KEY = "only for benchmarks"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "benchmarks.routes.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "corsheaders",
    "django_filters",
    "drf_spectacular",
    "rest_framework",
    "rest_framework.authtoken",
    "automate_api",
    "benchmarks.routes",
]
# Each contender has its own: see `calls.handler`.
MIDDLEWARE: list[str] = []
CORS_ALLOWED_ORIGINS = ["https://app.example.com"]

DATABASES = {"default": database(os.environ["BENCH_DATABASE"]) | {"CONN_MAX_AGE": None}}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["BENCH_REDIS"],
        "KEY_PREFIX": f"automate-bench-{os.getpid()}",
    }
}
# Django's own Redis backend counts exactly; django-ratelimit's check does not know that.
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.W001"]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

AUTOMATE_API_ENCRYPTION_KEYS = [base64.urlsafe_b64encode(b"only for benchmarks, for no host").decode()]
AUTOMATE_API_TENANT_RESOLVER = "benchmarks.routes.models.tenant_of_request"
AUTOMATE_API_RATE_LIMIT = "100000000/day"
