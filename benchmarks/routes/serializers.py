"""The forms of the host's rows: REST framework's own serializers, for plain views and for those on our bases alike."""

from typing import Any

from rest_framework import serializers

from automate_api.models import Execution, LLMClient
from automate_api.v1.serializers.executions import ExecutionSerializer
from automate_api.v1.serializers.llm_clients import LLMClientSerializer
from benchmarks.routes.models import Item


class ItemSerializer(serializers.ModelSerializer[Item]):
    """An item, with the name of its category."""

    category_name = serializers.CharField(source="category.name", read_only=True)

    class Meta:
        model = Item
        fields = (
            "id",
            "category",
            "category_name",
            "status",
            "title",
            "asked",
            "answered",
            "payload",
            "note",
            "created_at",
            "finished_at",
        )


class PlainLLMClientSerializer(serializers.ModelSerializer[LLMClient]):
    """The fields of the package's, as one would write it."""

    sharing = serializers.JSONField(read_only=True)

    class Meta:
        model = LLMClient
        fields = LLMClientSerializer.Meta.fields
        read_only_fields = ("owner", "version", "created_at", "updated_at")
        validators: list[Any] = []


class PlainExecutionSerializer(serializers.ModelSerializer[Execution]):
    """The fields of the package's, as one would write it."""

    class Meta:
        model = Execution
        fields = ExecutionSerializer.Meta.fields
        read_only_fields = fields
