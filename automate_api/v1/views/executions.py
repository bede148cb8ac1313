"""`executions/`: the runs of a tenant."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view

from automate_api.models import Execution
from automate_api.v1.base import BaseReadOnlyViewSet
from automate_api.v1.filtersets import ExecutionFilterSet
from automate_api.v1.serializers.executions import ExecutionSerializer
from automate_api.v1.views.domain import DomainMixin


@extend_schema_view(
    list=extend_schema(description=_("Your runs, newest first; for staff all of the tenant.")),
    retrieve=extend_schema(description=_("One run: what went in, how it ended, what it cost.")),
)
class ExecutionViewSet(DomainMixin, BaseReadOnlyViewSet):
    """Executions: each caller sees its own, staff all of the tenant."""

    queryset = Execution.objects.all()
    serializer_class = ExecutionSerializer
    filterset_class = ExecutionFilterSet
    ordering_fields = ("created_at", "finished_at", "duration_ms")
    scope_resource = "executions"
