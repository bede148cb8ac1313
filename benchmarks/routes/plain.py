"""Plain REST framework: token, tenant by hand, django-filter, numbered pages; with its throttles and without."""

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import authentication, permissions, renderers, throttling, viewsets
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from automate_api.models import Execution, LLMClient
from benchmarks.routes.models import Item, tenant_of
from benchmarks.routes.serializers import ItemSerializer, PlainExecutionSerializer, PlainLLMClientSerializer


class Pages(PageNumberPagination):
    """Pages of 25 with a count."""

    page_size = 25


class Throttle(throttling.UserRateThrottle):
    """Never reached: its history is emptied before each round."""

    rate = "100000/day"


class PlainMixin:
    """What a host sets once."""

    authentication_classes = (authentication.TokenAuthentication,)
    permission_classes = (permissions.IsAuthenticated,)
    renderer_classes = (renderers.JSONRenderer,)
    throttle_classes: Any = ()


class PlainModelViewSet(PlainMixin, viewsets.ModelViewSet[Any]):
    """A model's rows of the caller's tenant."""

    pagination_class = Pages
    filter_backends = (DjangoFilterBackend,)

    def get_queryset(self) -> QuerySet[Any]:
        """The tenant's."""
        return super().get_queryset().filter(tenant_id=tenant_of(self.request.user))


class Items(PlainModelViewSet):
    """Items."""

    queryset = Item.objects.select_related("category").order_by("-created_at", "-pk")
    serializer_class = ItemSerializer
    filterset_fields = ("category", "status")

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        """In the tenant."""
        serializer.save(tenant_id=tenant_of(self.request.user))


class LLMClients(PlainModelViewSet):
    """The package's LLM clients."""

    queryset = LLMClient.objects.prefetch_related("shares").order_by("-created_at", "-pk")
    serializer_class = PlainLLMClientSerializer
    filterset_fields = ("slug", "provider", "model")

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        """In the tenant, the caller's."""
        serializer.save(tenant_id=tenant_of(self.request.user), owner=self.request.user)


class Executions(PlainModelViewSet):
    """The package's executions."""

    queryset = Execution.objects.order_by("-created_at", "-pk")
    serializer_class = PlainExecutionSerializer
    filterset_fields = ("status", "endpoint")


class Ping(PlainMixin, APIView):
    """Does nothing."""

    def get(self, request: Request) -> Response:
        """Say so."""
        return Response({"ok": True})


class BarePing(Ping):
    """The same for anybody."""

    authentication_classes = ()
    permission_classes = ()


class ThrottledItems(Items):
    """Items, throttled."""

    throttle_classes = (Throttle,)


class ThrottledLLMClients(LLMClients):
    """LLM clients, throttled."""

    throttle_classes = (Throttle,)


class ThrottledExecutions(Executions):
    """Executions, throttled."""

    throttle_classes = (Throttle,)


class ThrottledPing(Ping):
    """Nothing, throttled."""

    throttle_classes = (Throttle,)
