"""`Prefer: respond-async` (RFC 7240): a job instead of waiting."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from automate_api.models import Execution, Job
from automate_api.services.jobs import create_job
from automate_api.services.runs import run_to_end
from automate_api.v1.serializers.executions import answer_of
from automate_api.v1.serializers.jobs import JobSerializer

RESPOND_ASYNC = "respond-async"


def location_of(description: Any, status: int = 202) -> OpenApiParameter:
    """The header `Location` of an answer, for `@extend_schema(parameters=…)`."""
    return OpenApiParameter("Location", str, OpenApiParameter.HEADER, description=description, response=[status])


#: What is sent and answered, for `@extend_schema(parameters=…)`.
PREFER = [
    OpenApiParameter(
        "Prefer",
        str,
        OpenApiParameter.HEADER,
        enum=[RESPOND_ASYNC],
        description=_("`respond-async`: answer with a job and do not wait (RFC 7240)."),
    ),
    location_of(_("Where the job is.")),
    OpenApiParameter(
        "Preference-Applied",
        str,
        OpenApiParameter.HEADER,
        enum=[RESPOND_ASYNC],
        description=_("That the preference was followed."),
        response=[202],
    ),
]

#: What is answered then, for `@extend_schema`.
JOB_ACCEPTED = OpenApiResponse(JobSerializer, description=_("The job, which a worker will begin."))


def prefers_async(request: Request) -> bool:
    """Whether the caller would rather not wait."""
    preferences = request.headers.get("Prefer", "").split(",")
    return any(preference.partition(";")[0].strip().lower() == RESPOND_ASYNC for preference in preferences)


def answer_run(request: Request, execution: Execution) -> Response:
    """Run an execution that is not stored yet, as the caller prefers: 200 with it at its end, or 202 with its job.

    Raises:
        AutomateError: what ended the run; what kept the job from being made.
    """
    if prefers_async(request):
        return _job_accepted(request, create_job(execution))
    return Response(answer_of(run_to_end(execution)))


def _job_accepted(request: Request, job: Job) -> Response:
    headers = {"Location": url_of(request, "job-detail", job), "Preference-Applied": RESPOND_ASYNC}
    return Response(JobSerializer(job).data, status=202, headers=headers)


def url_of(request: Request, name: str, row: Any) -> str:
    """The path of the row's route `name`, beside the route of this request."""
    match = request.resolver_match
    namespace = f"{match.namespace}:" if match and match.namespace else ""
    return str(reverse(namespace + name, kwargs={"pk": row.pk}))
