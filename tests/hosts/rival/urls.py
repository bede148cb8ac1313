"""Routes named and made like the package's, beside the package's."""

from typing import Any

from django.urls import include, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from automate_api.models import Provider
from automate_api.v1.base import BaseModelViewSet
from automate_api.v1.serializers.providers import ProviderSerializer as PackageProviderSerializer
from tests.hosts.shop.models import Item


class ProviderSerializer(serializers.ModelSerializer[Item]):
    """Has `status`, `type` and `kind` of its own."""

    status = serializers.ChoiceField(choices=[("open", "Open"), ("shut", "Shut")])
    type = serializers.ChoiceField(choices=[("token", "A token"), ("ring", "A ring")])

    class Meta:
        model = Item
        fields = ("id", "name", "kind", "status", "type")


class ExecutionSerializer(serializers.Serializer[Any]):
    """Has the very choices of the package's executions under other names."""

    status = serializers.ChoiceField(choices=["queued", "running", "succeeded", "failed", "cancelled"])
    kind = serializers.MultipleChoiceField(choices=["a", "b"])


class WiderProviderSerializer(PackageProviderSerializer):
    """The package's, with a choice more."""

    colour = serializers.ChoiceField(choices=["red", "blue"])

    class Meta(PackageProviderSerializer.Meta):
        fields = (*PackageProviderSerializer.Meta.fields, "colour")


class ProviderViewSet(viewsets.ModelViewSet[Item]):
    """Providers of another kind."""

    queryset = Item.objects.all()
    serializer_class = ProviderSerializer


class ExecutionViewSet(viewsets.ReadOnlyModelViewSet[Item]):
    """Executions of another kind."""

    queryset = Item.objects.all()
    serializer_class = ExecutionSerializer


class WiderProviderViewSet(BaseModelViewSet):
    """On the package's base.

    Override:
        nothing: this line is for developers.
    """

    queryset = Provider.objects.all()
    serializer_class = WiderProviderSerializer

    @extend_schema(request=None, responses={200: ProviderSerializer})
    @action(detail=True, methods=["post"])
    def paint(self, request: Request, pk: str | None = None) -> Response:
        """Paint it.

        Raises:
            Nothing: this line is for developers.
        """
        return Response({})

    @action(detail=True, methods=["get", "put"], serializer_class=ExecutionSerializer)
    def sharing(self, request: Request, pk: str | None = None) -> Response:
        return Response({})


router = SimpleRouter()
router.register("providers", ProviderViewSet)
router.register("executions", ExecutionViewSet, basename="execution")
router.register("wider", WiderProviderViewSet, basename="provider-wider")

urlpatterns = [
    path("", include(router.urls)),
    path("api/v1/", include("automate_api.urls")),
    path("api/v1/", include("automate.urls")),
    path("api/v1/modal/", include("automate_modal.urls")),
    path("", include("automate_api.workbench.urls")),
    path("v1/<slug:organization>/", include("automate_api.organization.urls")),
    path("openai/v1/", include("automate_api.openai.urls")),
]
