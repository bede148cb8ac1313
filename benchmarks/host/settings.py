"""A host with the package and nothing else, every guard on; the addresses come from the environment.

`BENCH_DATABASE` is the database's URL, `BENCH_UPSTREAM` the model server's `host:port`.
"""

import base64
import os
from typing import Any

from example_project.databases import database

SECRET_KEY = "only for benchmarks"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "benchmarks.host.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "corsheaders",
    "django_filters",
    "drf_spectacular",
    "rest_framework",
    "automate_api",
    "automate_modal",
]
MIDDLEWARE: list[str] = []


def persistent(url: str) -> dict[str, Any]:
    """The database at `url`, its connections kept between requests."""
    chosen = database(url)
    if chosen["ENGINE"] == "django.db.backends.postgresql":
        # Streams give their connection back while they wait, and a pool makes taking it up again cheap.
        return chosen | {"OPTIONS": {"pool": {"min_size": 4, "max_size": 32, "timeout": 30}}}
    return chosen | {"CONN_MAX_AGE": None}


DATABASES = {"default": persistent(os.environ["BENCH_DATABASE"])}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

AUTOMATE_API_ENCRYPTION_KEYS = [base64.urlsafe_b64encode(b"only for benchmarks, for no host").decode()]
AUTOMATE_API_PRIVATE_HOSTS = [os.environ.get("BENCH_UPSTREAM", "")]
AUTOMATE_API_REDACT_PATTERNS = [r"\b\d{3}-\d{2}-\d{4}\b"]
