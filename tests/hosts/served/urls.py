"""The package's routes, and one that tells what a server still holds."""

from django.urls import path

from tests.hosts.served.views import held
from tests.urls import urlpatterns as package

urlpatterns = [*package, path("held/", held)]
