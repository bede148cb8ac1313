"""`llm-clients/`: models with their prompts and parameters."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.serializers import BaseSerializer

from automate_api.models import LLMClient
from automate_api.services.llm_clients import create_llm_client, delete_llm_client, update_llm_client
from automate_api.v1.base import BaseModelViewSet
from automate_api.v1.filtersets import LLMClientFilterSet
from automate_api.v1.serializers.llm_clients import LLMClientSerializer
from automate_api.v1.views.domain import DomainMixin


@extend_schema_view(
    list=extend_schema(description=_("Your LLM clients and those shared with you; for staff all of the tenant.")),
    retrieve=extend_schema(description=_("One LLM client.")),
    create=extend_schema(description=_("Make an LLM client. It belongs to you.")),
    update=extend_schema(description=_("Replace an LLM client of yours; staff may replace any of the tenant.")),
    partial_update=extend_schema(description=_("Change an LLM client of yours; staff may change any of the tenant.")),
    destroy=extend_schema(description=_("Delete an LLM client that no endpoint uses.")),
)
class LLMClientViewSet(DomainMixin, BaseModelViewSet):
    """LLM clients: read by whom they are shared with, changed by their owner and by staff."""

    queryset = LLMClient.objects.with_shares()
    serializer_class = LLMClientSerializer
    filterset_class = LLMClientFilterSet
    ordering_fields = ("name", "created_at", "updated_at")
    scope_resource = "llm-clients"

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        """Make it the caller's."""
        serializer.instance = create_llm_client(actor=self.get_actor(), **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        """Change it where the caller may."""
        serializer.instance = update_llm_client(
            serializer.instance, actor=self.get_actor(), **serializer.validated_data
        )

    def perform_destroy(self, instance: LLMClient) -> None:
        """Delete it where the caller may and nothing uses it."""
        delete_llm_client(instance, actor=self.get_actor())
