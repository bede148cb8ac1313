"""The events of a run in the OpenAPI description: `AutomateRunEvent`, one of as many forms as there are events."""

import json
from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.plumbing import ComponentRegistry, append_meta
from inflection import camelize

from automate_api.engine.events import EventType
from automate_api.v1.schema.components import SCHEMA, component, object_of
from automate_api.v1.schema.problems import error_code

_STRING = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

_TOKENS = {
    "prompt_tokens": {**_COUNT, "description": "Tokens of what the model was given."},
    "completion_tokens": {**_COUNT, "description": "Tokens of its answer."},
    "total_tokens": {**_COUNT, "description": "Both."},
    "estimated": {"type": "boolean", "description": "True where they are no count: of an answer that broke off."},
}
_PARTIAL = {**_STRING, "description": "The text that had come."}

_SAID = {
    EventType.QUEUED: "The run waits for its turn.",
    EventType.STARTED: "The run has started. It is the first event of a stream.",
    EventType.TOKEN: "A piece of the answer. The pieces together are its text.",
    EventType.PROGRESS: "How far the run has come.",
    EventType.LOG: "Something worth telling.",
    EventType.ARTIFACT: "The run has made a file.",
    EventType.RETRY: "A call failed before its first byte, and is tried again.",
    EventType.FINAL: "The run has succeeded. Nothing follows.",
    EventType.ERROR: "The run has failed. Nothing follows.",
    EventType.CANCELLED: "The run was stopped. Nothing follows.",
}

#: What an event may lack of its data.
OPTIONAL = {EventType.PROGRESS: ("total", "message")}


def _data(registry: ComponentRegistry) -> dict[EventType, dict[str, Any]]:
    """The members of each event's data."""
    code = error_code(registry)
    return {
        EventType.QUEUED: {},
        EventType.STARTED: {"attempt": {"type": "integer", "minimum": 1, "description": "Counts from 1."}},
        EventType.TOKEN: {"text": {**_STRING, "description": "Never empty."}},
        EventType.PROGRESS: {
            "done": {"type": "number", "description": "How much is done."},
            "total": {"type": "number", "description": "Of how much, where that is known."},
            "message": {**_STRING, "description": "What is being done."},
        },
        EventType.LOG: {
            "level": {**_STRING, "description": "Such as `info` or `warning`."},
            "message": {**_STRING, "description": "For people."},
        },
        EventType.ARTIFACT: {
            "id": {**_STRING, "format": "uuid", "description": "The artifact."},
            "kind": {**_STRING, "description": "What it is for."},
            "content_type": {**_STRING, "description": "Its media type."},
            "size": {**_COUNT, "description": "Bytes."},
        },
        EventType.RETRY: {
            "attempt": {"type": "integer", "minimum": 2, "description": "The number of the next attempt."},
            "after_seconds": {"type": "number", "minimum": 0, "description": "When it starts, from now."},
            "code": code,
        },
        EventType.FINAL: {
            "output": {"description": "What came out; its form is the capability's."},
            "usage": append_meta(_usage(registry), {"nullable": True, "description": "Null: nothing was counted."}),
            "cost": append_meta(
                {**_STRING, "format": "decimal"},
                {"nullable": True, "description": "US dollars; null: no price is known."},
            ),
        },
        EventType.ERROR: {
            "code": code,
            "detail": {**_STRING, "description": "What happened, for people."},
            "partial": _PARTIAL,
        },
        EventType.CANCELLED: {"partial": _PARTIAL},
    }


def _usage(registry: ComponentRegistry) -> dict[str, Any]:
    # A capability of the host's may count other things.
    used = object_of("What a run used. It may have further members.", _TOKENS, optional=tuple(_TOKENS))
    return component(registry, SCHEMA, "AutomateUsage", lambda: {**used, "additionalProperties": {}})


def run_event(registry: ComponentRegistry) -> dict[str, Any]:
    """The schema of any event; those of each are registered on the way."""
    forms = {kind: _form(registry, kind, members) for kind, members in _data(registry).items()}
    mapping = {str(kind): reference["$ref"] for kind, reference in forms.items()}
    return {
        "oneOf": list(forms.values()),
        "discriminator": {"propertyName": "event", "mapping": mapping},
        "description": "One server-sent event of a run: `id:` is `id`, `event:` is `event`, and `data:` is `data` as "
        "JSON on one line. Read past lines that begin with a colon, and past events and members you do not know.",
    }


def _form(registry: ComponentRegistry, kind: EventType, members: Mapping[str, Any]) -> dict[str, str]:
    name = f"Automate{camelize(kind)}Event"
    data = component(registry, SCHEMA, f"{name}Data", lambda: _data_object(kind, members))
    properties = {
        "id": {"type": "integer", "minimum": 1, "description": "Counts from 1 within the stream."},
        # A component of its own: written here, drf-spectacular would make it one with a name of its own making.
        "event": component(registry, SCHEMA, f"{name}Name", lambda: _name(kind)),
        "data": data,
    }
    return component(registry, SCHEMA, name, lambda: object_of(_SAID[kind], properties))


def _name(kind: EventType) -> dict[str, Any]:
    return {**_STRING, "enum": [str(kind)], "description": f"Says that an event is `{kind}`."}


def _data_object(kind: EventType, members: Mapping[str, Any]) -> dict[str, Any]:
    described = object_of(f"What `{kind}` tells.", members, optional=OPTIONAL.get(kind, ()))
    return {**described, "additionalProperties": {}}


class RunEventExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes `RunEventSerializer` by `run_event`."""

    target_class = "automate_api.v1.serializers.run_events.RunEventSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """The schema of any event."""
        return run_event(auto_schema.registry)


class UsageFieldExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes `UsageField`."""

    target_class = "automate_api.v1.serializers.fields.UsageField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """A reference to what a run used."""
        return _usage(auto_schema.registry)


def frames(events: list[dict[str, Any]]) -> str:
    """Events as they stand in a stream (`id`, `event`, `data`), a comment among them."""
    parts = [
        f"id: {event['id']}\nevent: {event['event']}\ndata: {json.dumps(event['data'], separators=(',', ':'))}\n\n"
        for event in events
    ]
    return "".join([*parts[:1], ": keep-alive\n\n", *parts[1:]])
