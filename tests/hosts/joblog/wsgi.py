"""WSGI of a process that listens to a job before it forks."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.hosts.joblog.settings"

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from automate_api.ids import uuid7  # noqa: E402
from automate_api.services import job_feed  # noqa: E402

listener = job_feed.Listener(uuid7(), lambda: None)
job_feed.feed.join(listener)
