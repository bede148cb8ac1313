"""Settings of the host with the middleware."""

from tests.hosts import ground
from tests.hosts.ground import *  # noqa: F403

ROOT_URLCONF = "tests.hosts.with_corsheaders.urls"
INSTALLED_APPS = [*ground.USERS, *ground.SESSIONS, *ground.NEEDED, "automate_api", "automate", "automate_modal"]
MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware", *ground.SESSION_MIDDLEWARE]
CORS_ALLOWED_ORIGINS = ["https://front.example.com"]
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
STORY_OWN = "tests.hosts.with_corsheaders.own.chapter"
