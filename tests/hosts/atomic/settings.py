"""Settings of the host with `ATOMIC_REQUESTS`."""

from tests.hosts import ground
from tests.hosts.ground import *  # noqa: F403

ROOT_URLCONF = "tests.hosts.atomic.urls"
INSTALLED_APPS = [*ground.USERS, *ground.SESSIONS, *ground.NEEDED, "automate_api", "automate", "automate_modal"]
MIDDLEWARE = ground.SESSION_MIDDLEWARE
DATABASES = {"default": {**ground.DATABASES["default"], "ATOMIC_REQUESTS": True}}
STORY_OWN = "tests.hosts.atomic.own.chapter"
