"""The served host's routes, and the capability."""

from tests.hosts.joblog import capabilities
from tests.hosts.served.urls import urlpatterns

__all__ = ["capabilities", "urlpatterns"]
