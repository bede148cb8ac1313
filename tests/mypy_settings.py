"""Settings for mypy, which looks at the test host and the example host in one go."""

from tests.settings import *
from tests.settings import INSTALLED_APPS as TESTED

INSTALLED_APPS = [*TESTED, "example_project.tenants"]
