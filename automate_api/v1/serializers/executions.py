"""Executions on the wire."""

from functools import cache
from typing import Any

from rest_framework import serializers

from automate_api.models import Execution
from automate_api.v1.serializers.providers import CallErrorSerializer


class StepSerializer(serializers.Serializer[Any]):
    """One attempt within a run."""

    name = serializers.CharField()
    attempt = serializers.IntegerField()
    status = serializers.CharField()
    started_ms = serializers.IntegerField(help_text="Milliseconds from the start of the run.")
    duration_ms = serializers.IntegerField(required=False, help_text="Milliseconds.")
    code = serializers.CharField(required=False, help_text="The error code of a failed attempt.")


class ExecutionSerializer(serializers.ModelSerializer[Execution]):
    """One run of an endpoint."""

    input = serializers.JSONField(read_only=True)
    params = serializers.JSONField(read_only=True)
    output = serializers.JSONField(read_only=True, allow_null=True)
    error = CallErrorSerializer(read_only=True, allow_null=True)
    usage = serializers.JSONField(
        read_only=True, allow_null=True, help_text="Tokens, as the model server counted them."
    )
    steps = StepSerializer(many=True, read_only=True)

    class Meta:
        model = Execution
        fields = (
            "id",
            "endpoint",
            "endpoint_version",
            "llm_client",
            "task_type",
            "status",
            "input",
            "params",
            "output",
            "error",
            "usage",
            "cost",
            "steps",
            "first_token_ms",
            "duration_ms",
            "user",
            "correlation_id",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields


@cache
def _serializer() -> ExecutionSerializer:
    return ExecutionSerializer()


def answer_of(execution: Execution) -> dict[str, Any]:
    """`execution` on the wire."""
    # Representing leaves nothing behind, so that one serializer, whose fields are costly to make, serves all.
    answer: dict[str, Any] = _serializer().to_representation(execution)
    return answer
