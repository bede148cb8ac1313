"""The served host's settings, in which nobody works on a job unless a test says so."""

import os

from tests.hosts.served.settings import *  # noqa: F403

ROOT_URLCONF = "tests.hosts.joblog.urls"
AUTOMATE_API_JOB_DISPATCHER = "tests.hosts.joblog.dispatch.Nobody"
AUTOMATE_API_LEASE = float(os.environ.get("SERVED_LEASE", "30"))
AUTOMATE_API_HEARTBEAT = AUTOMATE_API_LEASE / 3
