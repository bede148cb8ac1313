"""Routes of the multi-modal gateway; mount them where you like, usually at `/api/v1/modal/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from automate_api.v1.base.routing import StreamPattern, always, is_form
from automate_modal.api.views import (
    ArtifactDownloadView,
    EndpointJobView,
    EndpointRunView,
    EndpointStreamView,
    JobEventsView,
    JobStatusView,
)

app_name = "automate_modal"

router = SimpleRouter()

urlpatterns = [
    *router.urls,
    path("endpoints/<str:pk>/run/", EndpointRunView.as_view(), name="endpoint-run"),
    StreamPattern(
        "endpoints/<str:pk>/stream/", EndpointStreamView.as_view(), name="endpoint-stream", handles_files=is_form
    ),
    path("endpoints/<str:pk>/job/", EndpointJobView.as_view(), name="endpoint-job"),
    path("jobs/<str:pk>/status/", JobStatusView.as_view(), name="job-status"),
    StreamPattern(
        "artifacts/<str:pk>/download/", ArtifactDownloadView.as_view(), name="artifact-download", handles_files=always
    ),
    StreamPattern("jobs/<str:pk>/events/", JobEventsView.as_view(), name="job-events"),
]
