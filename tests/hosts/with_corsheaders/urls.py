"""A view with origins, one without, and the package's routes."""

from django.urls import include, path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.base import BaseAPIView


class OwnView(BaseAPIView):
    """For the pages of no other origin."""

    @extend_schema(request=None, responses={200: None})
    def get(self, request: Request) -> Response:
        return Response({})


class CrossView(OwnView):
    """For the pages of one."""

    cors_origins = ("https://app.example.com",)


urlpatterns = [
    path("own/", OwnView.as_view(), name="own"),
    path("cross/", CrossView.as_view(), name="cross"),
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/", include("automate.urls")),
    path("api/v1/modal/", include("automate_modal.urls")),
]
