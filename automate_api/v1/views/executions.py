"""`executions/`: the runs of a tenant."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.models import Execution
from automate_api.services.runs import prepare_replay
from automate_api.v1.base import BaseReadOnlyViewSet
from automate_api.v1.correlation import correlation_id_of
from automate_api.v1.filtersets import ExecutionFilterSet
from automate_api.v1.prefer import JOB_ACCEPTED, PREFER, answer_run
from automate_api.v1.serializers.executions import ExecutionSerializer
from automate_api.v1.views.domain import DomainMixin, RunsMixin


@extend_schema_view(
    list=extend_schema(description=_("Your runs, newest first; for staff all of the tenant.")),
    retrieve=extend_schema(description=_("One run: what went in, how it ended, what it cost.")),
)
class ExecutionViewSet(RunsMixin, DomainMixin, BaseReadOnlyViewSet):
    """Executions: each caller sees its own, staff all of the tenant."""

    queryset = Execution.objects.all()
    serializer_class = ExecutionSerializer
    filterset_class = ExecutionFilterSet
    ordering_fields = ("created_at", "finished_at", "duration_ms")
    scope_resource = "executions"

    @extend_schema(
        parameters=PREFER,
        summary=_("Replay execution"),
        description=_(
            "Run the same input on the same version of the endpoint again, or of the LLM client, or on the provider "
            "where it had neither: a new execution, which points to this one. With `Prefer: respond-async` the answer "
            "is a job, at once."
        ),
        request=None,
        responses={
            200: OpenApiResponse(ExecutionSerializer, description=_("The new execution, which has succeeded.")),
            202: JOB_ACCEPTED,
        },
    )
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str | None = None) -> Response:
        """Run it again."""
        execution = prepare_replay(self.get_object(), actor=self.get_actor(), correlation_id=correlation_id_of(request))
        return answer_run(request, execution)
