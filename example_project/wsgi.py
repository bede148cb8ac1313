"""The WSGI application: `gunicorn example_project.wsgi:application`."""

import os

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

# Static files from the installed packages, which spares the demo a build step. A deployment lets its web server do it.
application = StaticFilesHandler(get_wsgi_application())
