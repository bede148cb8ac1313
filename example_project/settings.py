"""Settings of the example host. What a deployment changes comes from the environment:

`DATABASE_URL`, `REDIS_URL`, `SECRET_KEY`, `ENCRYPTION_KEYS` and `SIGNING_KEYS` (comma separated, the newest first),
`ALLOWED_HOSTS`, `DEBUG`, `DATA_DIR`, `LEASE` (seconds after which a dead process's jobs are another's),
`CONN_MAX_AGE` (seconds for which a thread keeps its connection to a database server; under ASGI, where threads come
and go, leave it out), and `PRIVATE_HOSTS` (comma separated; the demo gives the address of its own model server).
"""

import os
from importlib.util import find_spec
from pathlib import Path

from example_project.databases import database, sqlite
from example_project.keyfile import load_or_make


def listed(name: str, default: str = "") -> list[str]:
    """The comma-separated items of the environment variable `name`."""
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DATA_DIR") or BASE_DIR / ".data")
# Whatever the environment does not give is made once, so that the example runs as it is.
_given = os.environ.get("SECRET_KEY") and os.environ.get("ENCRYPTION_KEYS")
_kept = {} if _given else load_or_make(DATA_DIR / "secrets.json", "secret_key", "encryption_key")

SECRET_KEY = os.environ.get("SECRET_KEY") or _kept["secret_key"]
DEBUG = os.environ.get("DEBUG") == "1"
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_filters",
    # Django 6 has tasks of its own.
    *([] if find_spec("django.tasks") else ["django_tasks"]),
    "django_tasks_db",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "automate_api",
    "automate",
    "automate_modal",
    "example_project.documents",
    "example_project.tenants",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"
ASGI_APPLICATION = "example_project.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STATIC_URL = "/static/"
# Artifacts. Nothing serves this folder: they are downloaded through the API, which asks who is calling.
MEDIA_ROOT = DATA_DIR / "media"
LOGIN_URL = "/admin/login/"

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

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

_database_url = os.environ.get("DATABASE_URL")
DATABASES = {"default": database(_database_url) if _database_url else sqlite(DATA_DIR / "db.sqlite3")}
DATABASES["default"] |= {"CONN_MAX_AGE": int(os.environ.get("CONN_MAX_AGE") or 0), "CONN_HEALTH_CHECKS": True}

# One process may count and cache in its own memory; several need a Redis to share.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": os.environ["REDIS_URL"]}
    if os.environ.get("REDIS_URL")
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# Jobs wait in a table; `manage.py automate_worker` works on them.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}

SPECTACULAR_SETTINGS = {
    "TITLE": "Automate API",
    "DESCRIPTION": "Endpoints on language models.",
    "VERSION": "0.1.0",
    # The pages' scripts and styles come from this host, not from a CDN.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

AUTOMATE_API_ENCRYPTION_KEYS = listed("ENCRYPTION_KEYS") or [_kept["encryption_key"]]
AUTOMATE_API_SIGNING_KEYS = listed("SIGNING_KEYS") or list(
    load_or_make(DATA_DIR / "signing.json", "signing_key").values()
)
AUTOMATE_API_TENANT_RESOLVER = "example_project.tenants.resolver.tenant_of"
AUTOMATE_API_TENANT_MEMBERS = "example_project.tenants.resolver.tenant_members"
AUTOMATE_API_PUBLIC_SCHEMA = True
AUTOMATE_API_LEASE = float(os.environ.get("LEASE") or 30)
AUTOMATE_API_HEARTBEAT = AUTOMATE_API_LEASE / 3
# No private address may be called but these. The demo names one: its model's, on this machine.
AUTOMATE_API_PRIVATE_HOSTS = listed("PRIVATE_HOSTS")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
