"""Settings of the host with a capability of its own."""

import atexit
import shutil
import tempfile

from tests.hosts import ground
from tests.hosts.ground import *  # noqa: F403

ROOT_URLCONF = "tests.hosts.words.urls"
INSTALLED_APPS = [
    *ground.USERS,
    *ground.SESSIONS,
    *ground.NEEDED,
    "automate_api",
    "automate",
    "automate_modal",
    "tests.hosts.words",
]
MIDDLEWARE = ground.SESSION_MIDDLEWARE
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
AUTOMATE_API_JOB_DISPATCHER = "tests.hosts.joblog.dispatch.Nobody"
STORY_OWN = "tests.hosts.words.own.chapter"

# Its files go with the process.
MEDIA_ROOT = tempfile.mkdtemp(prefix="automate-words-")
atexit.register(shutil.rmtree, MEDIA_ROOT, ignore_errors=True)
