"""`jobs/`: runs that outlive their request."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.models import Job
from automate_api.services.jobs import cancel_job
from automate_api.v1.base import BaseReadOnlyViewSet
from automate_api.v1.filtersets import JobFilterSet
from automate_api.v1.job_events import HEADER, PARAMETER, JobEventStream, has_nothing_more, last_event_id
from automate_api.v1.serializers.jobs import JobSerializer
from automate_api.v1.serializers.run_events import JOB_EVENT_STREAM
from automate_api.v1.views.domain import DomainMixin, is_asgi

_FROM = _("The id of the last event that was read: the stream goes on after it. Browsers send it by themselves.")
_FROM_QUERY = _("The same, for clients that cannot set the header, which wins.")

#: For views whose keyword spectacular cannot look up.
JOB_ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH, description=_("The job's id."))

#: For `@extend_schema` of a view that streams a job's log.
JOB_EVENTS: dict[str, Any] = {
    "parameters": [
        OpenApiParameter(HEADER, str, OpenApiParameter.HEADER, description=_FROM),
        OpenApiParameter(PARAMETER, str, OpenApiParameter.QUERY, description=_FROM_QUERY),
    ],
    "summary": _("Stream job events"),
    "description": _(
        "What the job says, from the beginning or from where a reader left off, until it ends. To leave cancels "
        "nothing."
    ),
    "responses": {
        (200, "text/event-stream"): JOB_EVENT_STREAM,
        204: OpenApiResponse(description=_("The job has ended, and all was read: do not connect again.")),
    },
}


def stream_events(request: Request, job: Job) -> HttpResponseBase:
    """The job's log from where the caller left off; 204 where there is nothing more to come."""
    after = last_event_id(request)
    if has_nothing_more(job, after):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return JobEventStream(job, after=after, is_async=is_asgi(request), is_empty=request.method == "HEAD")


@extend_schema_view(
    list=extend_schema(description=_("Your jobs, newest first; for staff all of the tenant.")),
    retrieve=extend_schema(description=_("One job: where it stands and how often it was tried.")),
)
class JobViewSet(DomainMixin, BaseReadOnlyViewSet):
    """Jobs: each caller sees and cancels its own, staff all of the tenant."""

    queryset = Job.objects.all()
    serializer_class = JobSerializer
    filterset_class = JobFilterSet
    ordering_fields = ("created_at", "finished_at")
    scope_resource = "jobs"
    atomic_requests: ClassVar[bool] = False

    def get_query_params(self) -> frozenset[str]:
        """Also where to go on with the events."""
        return super().get_query_params() | ({PARAMETER} if self.action == "events" else frozenset())

    @extend_schema(
        summary=_("Cancel job"),
        description=_(
            "Cancel the job: one that waits never starts, one that runs stops within two seconds. Of those that no "
            "endpoint and no LLM client runs only staff cancel."
        ),
        request=None,
        responses=OpenApiResponse(JobSerializer, description=_("The job, cancelled or about to be.")),
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        """Stop it, or never start it."""
        return Response(self.get_serializer(cancel_job(self.get_object(), actor=self.get_actor())).data)

    @extend_schema(**JOB_EVENTS)
    @action(detail=True, methods=["get"], filter_backends=[], pagination_class=None)
    def events(self, request: Request, pk: str | None = None) -> HttpResponseBase:
        """Its log."""
        return stream_events(request, self.get_object())
