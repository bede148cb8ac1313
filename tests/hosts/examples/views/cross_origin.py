"""For pages of other origins."""

from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.base import CORSMixin


class MyViewSet(CORSMixin, viewsets.ViewSet):
    cors_origins = ["https://app.example.com"]

    def list(self, request: Request) -> Response:
        return Response([])

    def create(self, request: Request) -> Response:
        return Response({}, status=201)


class ClosedViewSet(CORSMixin, viewsets.ViewSet):
    """As it comes: no other origin."""

    def list(self, request: Request) -> Response:
        return Response([])
