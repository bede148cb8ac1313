"""Settings of the bare host: what the package needs, and no more."""

from tests.settings import *  # noqa: F403

REST_FRAMEWORK: dict[str, object] = {}
SPECTACULAR_SETTINGS: dict[str, object] = {}
ROOT_URLCONF = "tests.hosts.bare.urls"
TEMPLATES: list[object] = []
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "corsheaders",
    "django_filters",
    "drf_spectacular",
    "rest_framework",
    "automate_api",
    "automate",
    "automate_modal",
]
