"""Settings of the host without."""

from tests.hosts.with_corsheaders import settings
from tests.hosts.with_corsheaders.settings import *  # noqa: F403

INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "corsheaders"]
MIDDLEWARE = settings.MIDDLEWARE[1:]
