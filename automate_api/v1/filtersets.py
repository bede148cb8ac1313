"""What the lists of the domain's nouns can be filtered by."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from automate_api.models import APIKey, Endpoint, Execution, LLMClient, PromptLog, Provider
from automate_api.v1.filters import FilterSet, MomentFilter


class ProviderFilterSet(FilterSet):
    """Providers by whether they are in use."""

    class Meta:
        model = Provider
        fields = ("slug", "enabled")


class LLMClientFilterSet(FilterSet):
    """LLM clients by whose they are and what they call."""

    ownership = filters.ChoiceFilter(
        method="filter_ownership",
        choices=(("all", _("all")), ("owned", _("owned by the caller")), ("shared", _("shared with the caller"))),
        help_text=_("`owned` by the caller, `shared` with it by others, or `all` (the default)."),
    )

    class Meta:
        model = LLMClient
        fields = ("slug", "provider", "model")

    def filter_ownership(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Narrow to the caller's own or to other people's."""
        request: Any = self.request
        actor = request.parser_context["view"].get_actor()
        match value:
            case "owned":
                return rows & LLMClient.objects.owned_by(actor)
            case "shared":
                return rows & LLMClient.objects.shared_with(actor)
        return rows


class EndpointFilterSet(FilterSet):
    """Endpoints by name and whether they are in use."""

    class Meta:
        model = Endpoint
        fields = ("slug", "llm_client", "enabled")


class ExecutionFilterSet(FilterSet):
    """Executions by how they went, what they ran, and when."""

    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Execution
        fields = ("status", "task_type", "endpoint", "user", "correlation_id")


class PromptLogFilterSet(FilterSet):
    """Prompt logs by execution, model and time."""

    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = PromptLog
        fields = ("log_key", "model", "provider", "execution", "user")


class APIKeyFilterSet(FilterSet):
    """API keys by name."""

    class Meta:
        model = APIKey
        fields = ("name",)
