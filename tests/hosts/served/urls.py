"""The package's routes, and one that tells what a server still holds."""

from django.urls import path

from tests.hosts.served import capabilities
from tests.hosts.served.views import held
from tests.urls import urlpatterns as package

__all__ = ["capabilities", "urlpatterns"]

urlpatterns = [*package, path("held/", held)]
