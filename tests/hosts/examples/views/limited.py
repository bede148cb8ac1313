"""A hundred times an hour."""

from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.base import RateLimitMixin


class MyViewSet(RateLimitMixin, viewsets.ViewSet):
    rate_limit = "100/hour"
    rate_limit_key = "user"

    def list(self, request: Request) -> Response:
        return Response([])
