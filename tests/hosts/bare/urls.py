"""A view that drf-spectacular cannot describe, and the package's."""

from django.urls import include, path
from rest_framework.response import Response
from rest_framework.views import APIView


class OwnView(APIView):
    """Described by REST framework, not by drf-spectacular."""

    def get(self, request: object) -> Response:
        return Response({})


urlpatterns = [
    path("own/", OwnView.as_view(), name="own"),
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/", include("automate.urls")),
    path("api/v1/modal/", include("automate_modal.urls")),
    path("", include("automate_api.workbench.urls")),
    path("v1/<slug:organization>/", include("automate_api.organization.urls")),
    path("openai/v1/", include("automate_api.openai.urls")),
]
