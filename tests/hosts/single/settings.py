"""Settings of the single host."""

import os

from tests.hosts import ground
from tests.hosts.ground import *  # noqa: F403

ROOT_URLCONF = "tests.hosts.single.urls"
INSTALLED_APPS = [*ground.USERS, *ground.NEEDED, "automate_api"]
# As `startproject` writes it, without the options that suit a server.
if not os.environ.get("AUTOMATE_TEST_DATABASE_URL", "").startswith("postgres"):
    DATABASES = {"default": {**ground.DATABASES["default"], "OPTIONS": {}}}
