"""The package's routes, two that tell what a server still holds, and one that moves its clock."""

from django.urls import path

from tests.hosts.served import capabilities
from tests.hosts.served.clock import clock
from tests.hosts.served.views import archives, held
from tests.urls import urlpatterns as package

__all__ = ["capabilities", "urlpatterns"]

urlpatterns = [*package, path("held/", held), path("archives/", archives), path("clock/", clock)]
