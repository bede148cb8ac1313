"""Settings of the host with users of its own."""

from tests.hosts import ground
from tests.hosts.ground import *  # noqa: F403

ROOT_URLCONF = "tests.hosts.uuid_user.urls"
AUTH_USER_MODEL = "uuid_user.Person"
STATIC_URL = "/static/"
INSTALLED_APPS = [
    "django.contrib.admin",
    *ground.USERS,
    *ground.SESSIONS,
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *ground.NEEDED,
    "drf_spectacular_sidecar",
    "automate_api",
    "automate",
    "automate_modal",
    "tests.hosts.uuid_user",
]
MIDDLEWARE = [*ground.SESSION_MIDDLEWARE, "django.contrib.messages.middleware.MessageMiddleware"]
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
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
