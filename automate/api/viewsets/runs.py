"""`workflow-runs/`: what has happened, what happens now, and what waits for somebody."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from automate.api.filtersets import WorkflowRunFilterSet
from automate.api.locations import location_of_run
from automate.api.serializers.runs import (
    WorkflowReplaySerializer,
    WorkflowRunDetailSerializer,
    WorkflowRunSerializer,
)
from automate.models import StepRun, WorkflowRun
from automate.services.runs import cancel_run, replay_run
from automate_api.v1.base import BaseReadOnlyViewSet
from automate_api.v1.correlation import correlation_id_of
from automate_api.v1.prefer import location_of
from automate_api.v1.views.domain import DomainMixin

_OWN_STEPS = Prefetch("steps", StepRun.objects.filter(scope="").order_by("pk"), to_attr="own_steps")


@extend_schema_view(
    list=extend_schema(description=_("The runs that you caused, newest first; for staff all of the tenant.")),
    retrieve=extend_schema(
        description=_("One run with its steps. Those of iterations are at `steps/`."),
        responses=WorkflowRunDetailSerializer,
    ),
)
class WorkflowRunViewSet(DomainMixin, BaseReadOnlyViewSet):
    """Runs of workflows: each caller sees those it caused; staff see all of the tenant, and decide about them."""

    queryset = WorkflowRun.objects.select_related("version").defer("version__definition")
    serializer_class = WorkflowRunSerializer
    filterset_class = WorkflowRunFilterSet
    ordering_fields = ("created_at", "finished_at")
    scope_resource = "workflow-runs"
    staff_actions = frozenset({"cancel", "replay"})
    # What becomes of a run is seen by workers while the request goes on.
    atomic_requests: ClassVar[bool] = False
    error_statuses: ClassVar[Any] = {"replay": ()}

    def get_queryset(self) -> Any:
        """The runs that the caller may read; one alone with its steps."""
        rows = super().get_queryset()
        return rows.prefetch_related(_OWN_STEPS) if self.action == "retrieve" else rows

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """With steps where it is one."""
        return WorkflowRunDetailSerializer if self.action == "retrieve" else super().get_serializer_class()

    @extend_schema(
        summary=_("Cancel workflow run"),
        description=_("Cancel the run: what waits never begins, what is at work is told to stop."),
        request=None,
        responses=OpenApiResponse(WorkflowRunSerializer, description=_("The run, cancelled.")),
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        """Cancel it."""
        return Response(self.get_serializer(cancel_run(self.get_object())).data)

    @extend_schema(
        parameters=[location_of(_("Where the new run is."))],
        summary=_("Replay workflow run"),
        description=_(
            "Run the same event on the same version again, whole or from a step: a new run, which points to this one. "
            "The answer comes at once; the run goes on."
        ),
        request=WorkflowReplaySerializer,
        responses={202: OpenApiResponse(WorkflowRunSerializer, description=_("The new run, which has begun."))},
    )
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str | None = None) -> Response:
        """Run it again."""
        run, asked = self.get_object(), WorkflowReplaySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        begun = replay_run(
            run, actor=self.get_actor(), correlation_id=correlation_id_of(request), **asked.validated_data
        )
        shown = self.get_serializer(begun).data
        return Response(shown, status=HTTPStatus.ACCEPTED, headers=location_of_run(request, begun))
