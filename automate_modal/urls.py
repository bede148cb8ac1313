"""Routes of the multi-modal gateway; mount them where you like, usually at `/api/v1/modal/`."""

from rest_framework.routers import SimpleRouter

from automate_api.v1.base.routing import StreamPattern
from automate_modal.api.views import EndpointStreamView

app_name = "automate_modal"

router = SimpleRouter()

urlpatterns = [
    *router.urls,
    StreamPattern("endpoints/<str:pk>/stream/", EndpointStreamView.as_view(), name="endpoint-stream"),
]
