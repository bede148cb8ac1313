"""The served host's routes, the capability, and one that tells how many listen."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from automate_api.services import job_feed
from tests.hosts.joblog import capabilities
from tests.hosts.served.urls import urlpatterns as host

__all__ = ["capabilities", "urlpatterns"]


def listeners(request: HttpRequest) -> JsonResponse:
    """How many listeners this process has."""
    channels = list(job_feed.feed._channels.values())
    return JsonResponse({"count": sum(len(channel.listeners) for channel in channels)})


urlpatterns = [*host, path("listeners/", listeners)]
