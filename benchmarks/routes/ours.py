"""The same host on the package's base classes, with every guard they have."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.base import BaseAPIView, BaseModelViewSet, TenantFilterMixin
from benchmarks.routes.models import Item
from benchmarks.routes.serializers import ItemSerializer

ORIGINS = ("https://app.example.com",)
RATE = "100000000/day"


class Items(TenantFilterMixin, BaseModelViewSet):
    """Items of the caller's tenant."""

    queryset = Item.objects.select_related("category")
    serializer_class = ItemSerializer
    filterset_fields = ("category", "status")
    scope_resource = "items"
    rate_limit: Any = RATE
    cors_origins = ORIGINS


class Ping(BaseAPIView):
    """Does nothing."""

    scope_resource = "items"
    rate_limit: Any = RATE
    cors_origins = ORIGINS

    def get(self, request: Request) -> Response:
        """Say so."""
        return Response({"ok": True})
