"""`workflow-runs/<pk>/steps/`: each step of a run, those of iterations too."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from automate.api.children import ChildMixin
from automate.api.filtersets import StepRunFilterSet
from automate.api.serializers.runs import DecisionSerializer, StepRunSerializer
from automate.models import StepRun, WorkflowRun
from automate.services.waits import decide_step
from automate_api.v1.base import BaseReadOnlyViewSet

_RUN = OpenApiParameter("run_pk", OpenApiTypes.UUID, OpenApiParameter.PATH, description=_("The run's id."))
_PATH = OpenApiParameter(
    "step",
    str,
    OpenApiParameter.PATH,
    description=_("The step's path: `ask`, or `each.3.ask` in an iteration."),
)


@extend_schema_view(
    list=extend_schema(
        parameters=[_RUN], description=_("The run's steps with those of iterations, in the order in which they began.")
    ),
    retrieve=extend_schema(parameters=[_RUN, _PATH], description=_("One step of the run.")),
)
class WorkflowStepViewSet(ChildMixin, BaseReadOnlyViewSet):
    """Steps of a run: seen by who sees the run; staff decide about those that wait for approval."""

    queryset = StepRun.objects.all()
    serializer_class = StepRunSerializer
    filterset_class = StepRunFilterSet
    tenant_field = "run__tenant_id"
    parent_model, parent_field, parent_keyword = WorkflowRun, "run", "run_pk"
    lookup_url_kwarg = "step"
    ordering = ("pk",)
    scope_resource = "workflow-runs"
    staff_actions = frozenset({"approve", "reject"})
    # What follows from a decision is seen by workers while the request goes on.
    atomic_requests: ClassVar[bool] = False

    def get_object(self) -> Any:
        """The step that the path names by its own path."""
        scope, _dot, name = self.kwargs["step"].rpartition(".")
        return get_object_or_404(self.filter_queryset(self.get_queryset()).order_by(), scope=scope, name=name)

    @extend_schema(
        parameters=[_RUN, _PATH],
        summary=_("Approve step"),
        description=_("Say yes to a step that waits for approval. Its run goes on."),
        request=DecisionSerializer,
        responses=OpenApiResponse(StepRunSerializer, description=_("The step, approved.")),
    )
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, run_pk: str | None = None, step: str | None = None) -> Response:
        """Say yes."""
        return self._decided(request, approved=True)

    @extend_schema(
        parameters=[_RUN, _PATH],
        summary=_("Reject step"),
        description=_("Say no to a step that waits for approval: it fails with `rejected`."),
        request=DecisionSerializer,
        responses=OpenApiResponse(StepRunSerializer, description=_("The step, rejected.")),
    )
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, run_pk: str | None = None, step: str | None = None) -> Response:
        """Say no."""
        return self._decided(request, approved=False)

    def _decided(self, request: Request, *, approved: bool) -> Response:
        found, asked = self.get_object(), DecisionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        actor = self.get_actor()
        decided = decide_step(self.get_parent(), found.path, actor=actor, approved=approved, **asked.validated_data)
        return Response(self.get_serializer(decided).data)
