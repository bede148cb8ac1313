"""The ASGI application: `uvicorn example_project.asgi:application`."""

import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

# Static files from the installed packages, which spares the demo a build step. A deployment lets its web server do it.
application = ASGIStaticFilesHandler(get_asgi_application())
