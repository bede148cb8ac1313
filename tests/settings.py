"""Settings of the test suite.

`AUTOMATE_TEST_DATABASE_URL` and `AUTOMATE_TEST_REDIS_URL` choose other services than SQLite and process memory.
"""

import base64
import os
from pathlib import Path

from example_project.databases import database

ROOT = Path(__file__).resolve().parent.parent
# Test databases are named after the process: several runs may share one checkout.
SCRATCH = ROOT / ".test-data"
SCRATCH.mkdir(exist_ok=True)


def test_database(url: str) -> dict[str, object]:
    """The database at `url`, tested in a copy of this process's own."""
    chosen = database(url)
    if chosen["ENGINE"] == "django.db.backends.sqlite3":
        # A file: threads and the servers under test each open a connection of their own.
        return chosen | {"TEST": {"NAME": str(SCRATCH / f"test-{os.getpid()}.sqlite3")}}
    return chosen | {"TEST": {"NAME": f"test_{chosen['NAME']}_{os.getpid()}"}}


SECRET_KEY = "only for tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
STATIC_URL = "/static/"
# Of each process its own, as its database is; servers under test are told theirs.
MEDIA_ROOT = os.environ.get("AUTOMATE_TEST_MEDIA_ROOT") or str(SCRATCH / f"media-{os.getpid()}")
ROOT_URLCONF = "tests.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "automate_api",
    "automate",
    "automate_modal",
    "tests.hosts.examples",
    "tests.hosts.shop",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": test_database(os.environ.get("AUTOMATE_TEST_DATABASE_URL") or "sqlite://")}

if redis_url := os.environ.get("AUTOMATE_TEST_REDIS_URL"):
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": redis_url,
            "KEY_PREFIX": os.environ.get("AUTOMATE_TEST_CACHE_PREFIX") or f"automate-tests-{os.getpid()}",
        },
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Automate API",
    "VERSION": "0.1.0",
    "OAS_VERSION": os.environ.get("AUTOMATE_TEST_OAS_VERSION") or "3.0.3",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# The same in every process: servers under test read what the tests wrote.
AUTOMATE_API_SIGNING_KEYS = ["only for tests, never for a host"]
AUTOMATE_API_ENCRYPTION_KEYS = [base64.urlsafe_b64encode(b"only for tests, never for a host").decode()]
