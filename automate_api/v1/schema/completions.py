"""Chat completions in the OpenAPI description: what is asked, what is answered, whole and in chunks."""

import json
from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.plumbing import ComponentRegistry, is_jsonschema_compliant

from automate_api.capabilities import protocol
from automate_api.v1.schema.components import SCHEMA, component, object_of
from automate_api.v1.schema.older import as_30
from automate_api.v1.schema.parts import Names, parts_of

_STRING = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_MOMENT = {**_COUNT, "description": "When, in seconds since 1970."}
_ID = {**_STRING, "description": "`chatcmpl-` and the execution's id."}
_MODEL = {**_STRING, "description": "The model that answers."}
_INDEX = {**_COUNT, "description": "Always 0: there is one."}

#: What a body says of how it is answered.
WIRE: dict[str, Any] = {
    "model": {**_STRING, "minLength": 1, "description": "An LLM client's slug, or `provider/model`."},
    "stream": {"type": "boolean", "description": "Whether to answer in chunks, as they come."},
    "stream_options": {
        "type": "object",
        "properties": {
            "include_usage": {"type": "boolean", "description": "Whether the last chunk is the usage."},
            "include_obfuscation": {"type": "boolean", "description": "Is not listened to."},
        },
        "additionalProperties": False,
        "description": "What a stream has besides.",
    },
}


def body_of(registry: ComponentRegistry, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Schema as the component `name`; what it refers to is registered on the way."""
    is_31 = is_jsonschema_compliant()  # type: ignore[no-untyped-call]
    found = {part: _untitled(made) for part, made in parts_of(schema, name, Names()).items()}
    parts = {part: made if is_31 else as_30(made) for part, made in found.items()}
    main: dict[str, Any] = parts.pop(name)
    for part, found in parts.items():
        component(registry, SCHEMA, part, lambda found=found: {"description": "A part of it.", **found})  # type: ignore[misc]
    return main


def _untitled(schema: Any) -> Any:
    """`schema` without titles, which have named components: generators of clients would name by them again."""
    if isinstance(schema, dict):
        return {
            name: _untitled(inner) for name, inner in schema.items() if name != "title" or not isinstance(inner, str)
        }
    return [_untitled(inner) for inner in schema] if isinstance(schema, list) else schema


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What fits `schema`, which is of one type, or null."""
    if is_jsonschema_compliant():  # type: ignore[no-untyped-call]
        return {**schema, "type": [schema["type"], "null"]}
    return {**schema, "nullable": True}


def usage_of(registry: ComponentRegistry, name: str, *counts: str) -> dict[str, Any]:
    """Tokens, or null where the model server counted none; `name` is the component's."""
    told = {
        "prompt_tokens": {**_COUNT, "description": "Tokens of what the model was given."},
        "completion_tokens": {**_COUNT, "description": "Tokens of its answer."},
        "total_tokens": {**_COUNT, "description": "Both."},
    }
    used = object_of("What the model server counted.", {count: told[count] for count in counts})
    reference = component(registry, SCHEMA, name, lambda: used)
    said = {"description": "Null where the model server counted nothing."}
    if is_jsonschema_compliant():  # type: ignore[no-untyped-call]
        return {"anyOf": [reference, {"type": "null"}], **said}
    return {"allOf": [reference], "nullable": True, **said}


def _call(registry: ComponentRegistry) -> dict[str, Any]:
    function = {
        "name": {**_STRING, "description": "Which function."},
        "arguments": {**_STRING, "description": "With what: JSON as the model wrote it."},
    }
    members = {
        "id": {**_STRING, "description": "Names the call."},
        "type": {**_STRING, "description": "`function`."},
        "function": component(
            registry, SCHEMA, "AutomateCalledFunction", lambda: object_of("What was called.", function)
        ),
        "index": {**_COUNT, "description": "In a chunk: which of the calls it is."},
    }
    return component(
        registry, SCHEMA, "AutomateToolCall", lambda: object_of("A call of a function.", members, optional=("index",))
    )


def _said(registry: ComponentRegistry) -> dict[str, Any]:
    return {
        "role": {**_STRING, "description": "`assistant`."},
        "content": or_null({**_STRING, "description": "What the model says; null where it only calls or refuses."}),
        "refusal": or_null({**_STRING, "description": "What it refuses with; null where it does not."}),
        "tool_calls": {"type": "array", "items": _call(registry), "description": "What it calls, if it does."},
    }


def _choice(registry: ComponentRegistry, member: str, said: dict[str, str]) -> dict[str, Any]:
    reason = {**_STRING, "description": "Why the model stopped, as it says; null before the last piece."}
    members = {
        "index": _INDEX,
        member: said,
        "logprobs": or_null({"type": "object", "additionalProperties": {}, "description": "Always null."}),
        "finish_reason": or_null(reason),
    }
    return object_of("The answer.", members)


def completion(registry: ComponentRegistry) -> dict[str, Any]:
    """The schema of a whole completion."""
    said = component(
        registry,
        SCHEMA,
        "AutomateCompletionMessage",
        lambda: object_of("What the model answers.", _said(registry), optional=("tool_calls",)),
    )
    choice = component(registry, SCHEMA, "AutomateCompletionChoice", lambda: _choice(registry, "message", said))
    return _whole(registry, "chat.completion", choice)


def chunk(registry: ComponentRegistry) -> dict[str, Any]:
    """The schema of a chunk."""
    told = _said(registry)
    delta = component(
        registry,
        SCHEMA,
        "AutomateChunkDelta",
        lambda: object_of("A piece of what the model answers.", told, optional=tuple(told)),
    )
    choice = component(registry, SCHEMA, "AutomateChunkChoice", lambda: _choice(registry, "delta", delta))
    whole = _whole(registry, "chat.completion.chunk", choice)
    return {**whole, "required": [name for name in whole["required"] if name != "usage"]}


def _whole(registry: ComponentRegistry, kind: str, choice: dict[str, str]) -> dict[str, Any]:
    members = {
        "id": _ID,
        "object": {**_STRING, "description": f"`{kind}`."},
        "created": _MOMENT,
        "model": _MODEL,
        "choices": {"type": "array", "items": choice, "description": "One, or none in the chunk with the usage."},
        "usage": usage_of(registry, "AutomateTokenUsage", "prompt_tokens", "completion_tokens", "total_tokens"),
    }
    return object_of(f"A `{kind}` of the OpenAI protocol.", members)


def described(members: Mapping[str, Any], message: Mapping[str, Any], *, required: list[str], closed: bool) -> Any:
    """The JSON Schema of a body, with messages in a component of their own."""
    messages = {**protocol.MEMBERS["messages"], "items": {"$ref": "#/$defs/Message"}}
    schema = {
        "type": "object",
        "description": "A chat completion, asked for in the form of the OpenAI protocol.",
        "properties": {**WIRE, **members, "messages": messages},
        "required": required,
        "additionalProperties": not closed,
    }
    return {**schema, "$defs": {"Message": message}}


def frames(chunks: list[dict[str, Any]]) -> str:
    """Chunks as they stand in a stream."""
    told = [json.dumps(chunk, separators=(",", ":")) for chunk in chunks]
    return "".join(f"data: {text}\n\n" for text in (*told, "[DONE]"))


class CompletionRequestExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes `CompletionRequestSerializer`."""

    target_class = "automate_api.v1.serializers.completions.CompletionRequestSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """What the façade takes."""
        schema = described(protocol.MEMBERS, protocol.MESSAGE, required=["model", "messages"], closed=True)
        return body_of(auto_schema.registry, "AutomateCompletionRequest", schema)


class PassthroughRequestExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes `PassthroughRequestSerializer`."""

    target_class = "automate_api.v1.serializers.completions.PassthroughRequestSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """What a provider is passed."""
        schema = described({}, protocol.OPEN_MESSAGE, required=["messages"], closed=False)
        return body_of(auto_schema.registry, "AutomatePassthroughRequest", schema)


class CompletionExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes `CompletionSerializer`."""

    target_class = "automate_api.v1.serializers.completions.CompletionSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """A whole completion."""
        return completion(auto_schema.registry)


class ChunkExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes `ChunkSerializer`."""

    target_class = "automate_api.v1.serializers.completions.ChunkSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """A chunk."""
        return chunk(auto_schema.registry)
