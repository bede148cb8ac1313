"""For everybody."""

from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.base import PublicAPIMixin


class PublicViewSet(PublicAPIMixin, viewsets.ViewSet):
    def list(self, request: Request) -> Response:
        return Response({"hello": "world"})
