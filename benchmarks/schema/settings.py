"""A host with the package's routes several times; its schema is public, so that nothing but the schema is measured."""

import base64

SECRET_KEY = "only for benchmarks"
DEBUG = False
ALLOWED_HOSTS = ["testserver"]
USE_TZ = True
ROOT_URLCONF = "benchmarks.schema.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "corsheaders",
    "django_filters",
    "drf_spectacular",
    "rest_framework",
    "automate_api",
]
MIDDLEWARE: list[str] = []
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
AUTOMATE_API_ENCRYPTION_KEYS = [base64.urlsafe_b64encode(b"only for benchmarks, for no host").decode()]
AUTOMATE_API_PUBLIC_SCHEMA = True
