"""Views of the multi-modal gateway: endpoints by other transports than a synchronous answer."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.engine.transports import EventStream
from automate_api.models import Artifact, Job
from automate_api.services.artifacts import find_artifact
from automate_api.services.jobs import create_job, find_job
from automate_api.services.runs import prepare_run, run_to_end
from automate_api.v1.base import BaseAPIView
from automate_api.v1.job_events import PARAMETER
from automate_api.v1.negotiation import AnyForm
from automate_api.v1.prefer import location_of, url_of
from automate_api.v1.serializers.jobs import JobAcceptedSerializer, JobResultSerializer, status_of_job
from automate_api.v1.serializers.run_events import EVENT_STREAM
from automate_api.v1.views.artifacts import ARTIFACT_ID, DOWNLOAD, DOWNLOAD_ERRORS, DownloadMixin
from automate_api.v1.views.domain import ActorMixin, is_asgi
from automate_api.v1.views.endpoints import ID_OR_SLUG
from automate_api.v1.views.jobs import JOB_EVENTS, JOB_ID, stream_events
from automate_modal.api.requests import RUN_REQUEST, RunsWithFilesMixin
from automate_modal.api.serializers import RunOutcomeSerializer, outcome_of


class EndpointRunView(RunsWithFilesMixin, BaseAPIView):
    """Run an endpoint and wait for its end."""

    scope_resource = "endpoints"
    scope_access = "run"

    @extend_schema(
        parameters=[ID_OR_SLUG],
        summary=_("Run endpoint"),
        description=_(
            "Run the endpoint to its end and answer with what came out, and with the files that it made. Where the "
            "task type takes files, each is named by the id of an artifact, or sent along in a form."
        ),
        request=RUN_REQUEST,
        responses=OpenApiResponse(RunOutcomeSerializer, description=_("What came of the run, which has succeeded.")),
    )
    def post(self, request: Request, pk: str) -> Response:
        """Run it now."""
        return Response(outcome_of(run_to_end(self.get_execution(request, pk))))


class EndpointStreamView(RunsWithFilesMixin, BaseAPIView):
    """Run an endpoint and stream its events."""

    scope_resource = "endpoints"
    scope_access = "run"
    # Later failures are events.
    error_statuses: ClassVar[Any] = {"post": (HTTPStatus.SERVICE_UNAVAILABLE,)}

    @extend_schema(
        parameters=[ID_OR_SLUG],
        summary=_("Stream endpoint"),
        description=_(
            "Run the endpoint and stream its events as they come. After validation the answer is always 200; what "
            "fails later is an `error` event. The stream ends after `final`, `error` or `cancelled`, and the run ends "
            "with the stream. Sent again with the same idempotency key, it answers with the last event alone."
        ),
        request=RUN_REQUEST,
        responses={(200, "text/event-stream"): EVENT_STREAM},
    )
    def post(self, request: Request, pk: str) -> HttpResponseBase:
        """Start the stream."""
        run = prepare_run(self.get_execution(request, pk), stream=True)
        return EventStream(run, is_async=is_asgi(request))


class EndpointJobView(RunsWithFilesMixin, BaseAPIView):
    """Run an endpoint as a job."""

    scope_resource = "endpoints"
    scope_access = "run"

    @extend_schema(
        parameters=[ID_OR_SLUG, location_of(_("Where the job's status is."))],
        summary=_("Start job"),
        description=_("Run the endpoint as a job, which survives the death of the process that works on it."),
        request=RUN_REQUEST,
        responses={202: OpenApiResponse(JobAcceptedSerializer, description=_("The job, which a worker will begin."))},
    )
    def post(self, request: Request, pk: str) -> Response:
        """Make the job."""
        job = create_job(self.get_execution(request, pk))
        headers = {"Location": url_of(request, "job-status", job)}
        return Response({"job_id": str(job.pk), "status": job.status}, status=202, headers=headers)


class _JobView(ActorMixin, BaseAPIView):
    """Something of one job."""

    scope_resource = "jobs"

    def get_job(self, pk: str) -> Job:
        """The job with this id.

        Raises:
            NotFound: there is none that the caller may read.
        """
        return find_job(pk, actor=self.get_actor())


class JobStatusView(_JobView):
    """Where a job stands."""

    @extend_schema(
        parameters=[JOB_ID],
        summary=_("Job status"),
        description=_("Where the job stands, and what came of it."),
        responses=OpenApiResponse(JobResultSerializer, description=_("Where it stands.")),
    )
    def get(self, request: Request, pk: str) -> Response:
        """Look."""
        return Response(status_of_job(self.get_job(pk)))


class JobEventsView(_JobView):
    """What a job says."""

    extra_query_params = (PARAMETER,)
    # A transaction would keep its connection.
    atomic_requests: ClassVar[bool] = False

    @extend_schema(**{**JOB_EVENTS, "parameters": [JOB_ID, *JOB_EVENTS["parameters"]]})
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        """Stream its log."""
        return stream_events(request, self.get_job(pk))


class ArtifactDownloadView(DownloadMixin, ActorMixin, BaseAPIView):
    """The file of an artifact."""

    scope_resource = "artifacts"
    content_negotiation_class = AnyForm
    # A transaction would keep its connection.
    atomic_requests: ClassVar[bool] = False
    error_statuses: ClassVar[Any] = {"get": DOWNLOAD_ERRORS}

    @extend_schema(**{**DOWNLOAD, "parameters": [ARTIFACT_ID, *DOWNLOAD["parameters"]]})
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        """Send it."""
        return self._download(self.get_artifact(pk))

    def get_artifact(self, pk: str) -> Artifact:
        """The artifact with this id.

        Raises:
            NotFound: there is none that the caller may read.
        """
        return find_artifact(pk, actor=self.get_actor())
