"""The test suite's settings for a server's process; the addresses come from the environment."""

import os

from tests.settings import *  # noqa: F403

DEBUG = os.environ.get("SERVED_DEBUG") == "1"
ROOT_URLCONF = "tests.hosts.served.urls"
WSGI_APPLICATION = "tests.hosts.served.wsgi.application"
AUTOMATE_API_PRIVATE_HOSTS = [host for host in os.environ.get("SERVED_PRIVATE_HOSTS", "").split(",") if host]
AUTOMATE_API_RATE_LIMIT = os.environ.get("SERVED_RATE_LIMIT")
AUTOMATE_API_LEASE = float(os.environ.get("SERVED_LEASE", "30"))
AUTOMATE_API_HEARTBEAT = AUTOMATE_API_LEASE / 4
AUTOMATE_API_REDACT_PATTERNS = [pattern for pattern in os.environ.get("SERVED_REDACT", "").split(",") if pattern]
AUTOMATE_API_ARTIFACT_MAX_BYTES = int(os.environ.get("SERVED_ARTIFACT_MAX_BYTES") or 100 * 1024 * 1024)
FILE_UPLOAD_TEMP_DIR = os.environ.get("SERVED_UPLOADS")
if os.environ.get("SERVED_HOLD_UP"):
    STORAGES = {
        "default": {"BACKEND": "tests.hosts.served.storage.HeldUpStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
