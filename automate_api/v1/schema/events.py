"""Events of a run in the OpenAPI description."""

from typing import Any

from rest_framework import serializers

from automate_api.engine.events import EventType


class RunEventSerializer(serializers.Serializer[Any]):
    """One frame of an event stream: `event` is the type, `data` the JSON object, `id` the number in the stream."""

    type = serializers.ChoiceField(choices=[(str(event), str(event)) for event in EventType])
    data = serializers.DictField(help_text="What the type brings, such as `text` of a `token`.")
