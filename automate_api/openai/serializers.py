"""The façade's bodies: how they are written, and what the OpenAPI description says of them."""

import base64
import struct
from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.plumbing import ComponentRegistry
from rest_framework import serializers

from automate_api.exceptions import UpstreamInvalid
from automate_api.services.embeddings import BODY
from automate_api.services.models import ServedModel
from automate_api.v1.schema.completions import body_of, usage_of
from automate_api.v1.schema.components import SCHEMA, component, object_of

_STRING = {"type": "string"}


def model_of(model: ServedModel) -> dict[str, Any]:
    """A `model` of the protocol."""
    created = int(model.created_at.timestamp())
    return {"id": model.name, "object": "model", "created": created, "owned_by": model.provider}


def embeddings_of(result: Mapping[str, Any], *, model: str, as_base64: bool) -> dict[str, Any]:
    """A list of embeddings, of what `llm.embed` ended with.

    Raises:
        UpstreamInvalid: a number is too large for 32 bits, where those are asked for.
    """
    vectors, usage = result["output"]["embeddings"], result["usage"]
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if as_base64 else vector}
        for index, vector in enumerate(vectors)
    ]
    counted = usage and {name: usage[name] for name in ("prompt_tokens", "total_tokens")}
    return {"object": "list", "data": data, "model": model, "usage": counted}


def _packed(vector: list[float]) -> str:
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except OverflowError as exc:
        raise UpstreamInvalid from exc


class ServedModelSerializer(serializers.Serializer[Any]):
    """Stands for `model_of`."""


class ServedModelListSerializer(serializers.Serializer[Any]):
    """Stands for a list of them."""


class EmbeddingRequestSerializer(serializers.Serializer[Any]):
    """Stands for what `read_embedding_request` reads."""


class EmbeddingListSerializer(serializers.Serializer[Any]):
    """Stands for `embeddings_of`."""


def _model() -> dict[str, Any]:
    members = {
        "id": {**_STRING, "description": "An LLM client's slug, or `provider/model`."},
        "object": {**_STRING, "description": "`model`."},
        "created": {"type": "integer", "description": "When the client or the provider was made, since 1970."},
        "owned_by": {**_STRING, "description": "The slug of the provider."},
    }
    return object_of("A model of the OpenAI protocol.", members)


def _listed(items: dict[str, Any], description: str, **more: Any) -> dict[str, Any]:
    members = {
        "object": {**_STRING, "description": "`list`."},
        "data": {"type": "array", "items": items, "description": "All of them."},
        **more,
    }
    return object_of(description, members)


def _embedding(registry: ComponentRegistry) -> dict[str, str]:
    vector = {
        "anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string"}],
        "description": "The vector, as numbers or in base64.",
    }
    members = {
        "object": {**_STRING, "description": "`embedding`."},
        "index": {"type": "integer", "minimum": 0, "description": "Which of the texts it is for."},
        "embedding": vector,
    }
    return component(registry, SCHEMA, "AutomateEmbedding", lambda: object_of("The vector of a text.", members))


class ServedModelExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes `ServedModelSerializer`."""

    target_class = "automate_api.openai.serializers.ServedModelSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """A model."""
        return _model()


class ServedModelListExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes `ServedModelListSerializer`."""

    target_class = "automate_api.openai.serializers.ServedModelListSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """A list of models."""
        model = auto_schema.resolve_serializer(ServedModelSerializer, direction).ref
        return _listed(dict(model), "The models that may be named.")


class EmbeddingRequestExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes `EmbeddingRequestSerializer`."""

    target_class = "automate_api.openai.serializers.EmbeddingRequestSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """The texts, and how to answer."""
        schema = {"description": "Texts to embed, in the form of the OpenAI protocol.", **BODY}
        return body_of(auto_schema.registry, "AutomateEmbeddingRequest", schema)


class EmbeddingListExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes `EmbeddingListSerializer`."""

    target_class = "automate_api.openai.serializers.EmbeddingListSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """A list of vectors."""
        registry = auto_schema.registry
        more = {
            "model": {**_STRING, "description": "The model that was named."},
            "usage": usage_of(registry, "AutomateEmbeddingUsage", "prompt_tokens", "total_tokens"),
        }
        return _listed(_embedding(registry), "The vectors, in the order of the texts.", **more)
