"""Routes of the multi-modal gateway; mount them where you like, usually at `/api/v1/modal/`."""

from django.urls import path

from automate_modal.api.views import EndpointStreamView

app_name = "automate_modal"

urlpatterns = [
    path("endpoints/<str:pk>/stream/", EndpointStreamView.as_view(), name="endpoint-stream"),
]
