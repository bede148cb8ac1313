"""`providers/`: the model servers of a tenant."""

from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from automate_api.models import Provider
from automate_api.services.providers import create_provider, delete_provider, probe_provider, update_provider
from automate_api.v1.base import BaseModelViewSet
from automate_api.v1.filtersets import ProviderFilterSet
from automate_api.v1.schema.problems import NO_CACHE, NOT_STORED
from automate_api.v1.serializers.providers import (
    ProviderMemberSerializer,
    ProviderSerializer,
    ProviderTestSerializer,
)
from automate_api.v1.views.domain import DomainMixin

_SHOWN = partial(
    PolymorphicProxySerializer,
    component_name="AutomateProviderShown",
    serializers=[ProviderSerializer, ProviderMemberSerializer],
    resource_type_field_name=None,
)
# Without encryption keys no provider's key can be stored or used.
_NOT_CONFIGURED = (HTTPStatus.SERVICE_UNAVAILABLE,)


@extend_schema_view(
    list=extend_schema(
        description=_("The tenant's providers. Members see fewer fields than staff."), responses=_SHOWN(many=True)
    ),
    retrieve=extend_schema(
        description=_("One provider. Members see fewer fields than staff."), responses=_SHOWN(many=False)
    ),
    create=extend_schema(description=_("Make a provider. The key is encrypted at rest and never shown.")),
    update=extend_schema(description=_("Replace a provider. A changed `base_url` without a new key clears the key.")),
    partial_update=extend_schema(
        description=_("Change a provider. A changed `base_url` without a new key clears the key.")
    ),
    destroy=extend_schema(description=_("Delete a provider that no LLM client uses.")),
)
class ProviderViewSet(DomainMixin, BaseModelViewSet):
    """Providers: read by members, managed by staff."""

    queryset = Provider.objects.all()
    serializer_class = ProviderSerializer
    filterset_class = ProviderFilterSet
    ordering_fields = ("name", "created_at", "updated_at")
    scope_resource = "providers"
    staff_actions = frozenset({"create", "update", "partial_update", "destroy", "test"})
    error_statuses: ClassVar[Any] = {
        **dict.fromkeys(("create", "update", "partial_update"), (NOT_STORED,)),
        "destroy": (NO_CACHE,),
        "test": _NOT_CONFIGURED,
    }

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Members see less than staff."""
        if getattr(self, "swagger_fake_view", False) or self.get_actor().is_staff:
            return ProviderSerializer
        return ProviderMemberSerializer

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        """Make it in the caller's tenant."""
        serializer.instance = create_provider(actor=self.get_actor(), **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        """Change it; the key goes where the address changes."""
        serializer.instance = update_provider(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: Provider) -> None:
        """Delete it where nothing uses it."""
        delete_provider(instance)

    @extend_schema(
        summary=_("Test provider"),
        description=_("Call the provider once: how long it took and which models it names, or how it failed."),
        request=None,
        responses=OpenApiResponse(ProviderTestSerializer, description=_("How it went; also where it failed.")),
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str | None = None) -> Response:
        """Really call it."""
        return Response(ProviderTestSerializer(probe_provider(self.get_object())).data)
