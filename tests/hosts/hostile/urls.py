"""Views for everybody, and the package's routes below a prefix and a namespace."""

from django.urls import include, path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.base import BaseAPIView, PublicAPIMixin


class PublicView(PublicAPIMixin, BaseAPIView):
    """Nobody is signed in, and `request.user` is None."""

    public_rate_limit = "3/day"
    rate_limit = "3/day"

    @extend_schema(request=None, responses={200: None})
    def get(self, request: Request) -> Response:
        return Response({"user": request.user is not None})

    @extend_schema(request=None, responses={200: None})
    def post(self, request: Request) -> Response:
        return Response(request.data, status=201)


inner = [
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/modal/", include("automate_modal.urls")),
]
urlpatterns = [
    path("public/", PublicView.as_view(), name="public"),
    path("deep/er/", include((inner, "outer"))),
]
