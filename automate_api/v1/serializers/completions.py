"""Chat completions on the wire, for the OpenAPI description (`automate_api.v1.schema.completions`) alone.

Nothing is serialized by these: what is asked is read by `services.completions`, what is answered written by
`v1.completions`.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from automate_api.v1.schema.completions import frames
from automate_api.v1.schema.examples import CHUNK_EXAMPLES


class CompletionRequestSerializer(serializers.Serializer[Any]):
    """What the façade takes."""


class PassthroughRequestSerializer(serializers.Serializer[Any]):
    """What a provider is passed."""


class CompletionSerializer(serializers.Serializer[Any]):
    """A whole completion."""


class ChunkSerializer(serializers.Serializer[Any]):
    """A piece of a completion."""

    optional_in_answers = ("usage",)


#: What a stream answers, for `@extend_schema(responses={(200, "text/event-stream"): CHUNKS})`.
CHUNKS = OpenApiResponse(
    ChunkSerializer,
    description=_(
        "Chunks, each the data of a server-sent event, and then `[DONE]`. An answer that breaks off ends with "
        '`{"error": …}` instead.'
    ),
    examples=[OpenApiExample("a stream", value=frames(CHUNK_EXAMPLES), media_type="text/event-stream")],
)
