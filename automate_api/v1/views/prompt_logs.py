"""`prompt-logs/`: what was said to models, and what they said."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view

from automate_api.models import PromptLog
from automate_api.v1.base import BaseReadOnlyViewSet
from automate_api.v1.filtersets import PromptLogFilterSet
from automate_api.v1.serializers.prompt_logs import PromptLogSerializer
from automate_api.v1.views.domain import DomainMixin


@extend_schema_view(
    list=extend_schema(description=_("Your prompt logs, newest first; for staff all of the tenant.")),
    retrieve=extend_schema(description=_("One prompt log.")),
)
class PromptLogViewSet(DomainMixin, BaseReadOnlyViewSet):
    """Prompt logs: each caller sees its own, staff all of the tenant."""

    queryset = PromptLog.objects.all()
    serializer_class = PromptLogSerializer
    filterset_class = PromptLogFilterSet
    ordering_fields = ("created_at", "log_key")
    scope_resource = "prompt-logs"
