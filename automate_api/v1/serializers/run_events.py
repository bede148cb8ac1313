"""Events of a run on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from automate_api.v1.schema.events import frames
from automate_api.v1.schema.examples import EVENTS, FAILED_EVENTS, JOB_EVENTS


class RunEventSerializer(serializers.Serializer[Any]):
    """One server-sent event of a run.

    It stands for what streams send in the OpenAPI description (`automate_api.v1.schema.events`); nothing is serialized
    by it.
    """


#: What the log of a job answers.
JOB_EVENT_STREAM = OpenApiResponse(
    RunEventSerializer,
    description=_("Events, one after the other; each has the form of the schema. The last is terminal."),
    examples=[OpenApiExample("second attempt", value=frames(JOB_EVENTS), media_type="text/event-stream")],
)

#: What a stream answers, for `@extend_schema(responses={(200, "text/event-stream"): EVENT_STREAM})`.
EVENT_STREAM = OpenApiResponse(
    RunEventSerializer,
    description=_("Events, one after the other; each has the form of the schema. The last is terminal."),
    examples=[
        OpenApiExample("succeeds", value=frames(EVENTS), media_type="text/event-stream"),
        OpenApiExample("fails", value=frames(FAILED_EVENTS), media_type="text/event-stream"),
    ],
)
