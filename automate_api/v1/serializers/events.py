"""Events of a run on the wire."""

from typing import Any

from rest_framework import serializers

from automate_api.engine.events import EventType


class RunEventSerializer(serializers.Serializer[Any]):
    """One server-sent event of a run: `id:` is its sequence number, `event:` its type, `data:` a JSON object."""

    id = serializers.IntegerField(help_text="Counts from 1 within the stream.")
    event = serializers.ChoiceField(choices=[(kind.value, kind.value) for kind in EventType])
    data = serializers.JSONField(  # type: ignore[assignment]  # a serializer's fields are not its attributes
        help_text="`started {attempt}`, `token {text}`, `progress {done, total?, message?}`, `log {level, message}`, "
        "`artifact {id, kind, content_type, size}`, `retry {attempt, after_seconds, code}`, "
        "`final {output, usage, cost}`, `error {code, detail, partial}`, `cancelled {partial}`."
    )
