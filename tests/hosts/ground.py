"""What the hosts of the story have in common, and what the package asks of every host."""

import base64
import os
import tempfile
from pathlib import Path

from example_project.databases import database

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["testserver"]
DEBUG = os.environ.get("HOST_DEBUG") == "1"
DATABASES = {"default": database(os.environ.get("AUTOMATE_TEST_DATABASE_URL") or "sqlite://")}
MEDIA_ROOT = os.environ.get("AUTOMATE_TEST_MEDIA_ROOT") or str(Path(tempfile.gettempdir()) / f"automate-{os.getpid()}")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTOMATE_API_ENCRYPTION_KEYS = [base64.urlsafe_b64encode(b"only for tests, never for a host").decode()]

#: These and the apps of the package that a host wants, no more.
NEEDED = ["corsheaders", "django_filters", "drf_spectacular", "rest_framework"]

#: What signs users in.
USERS = ["django.contrib.auth", "django.contrib.contenttypes"]
SESSIONS = ["django.contrib.sessions"]
SESSION_MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
