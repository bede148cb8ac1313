"""Executions on the wire."""

from functools import cache
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate_api.models import Execution
from automate_api.v1.serializers.fields import ObjectField, UsageField, helped
from automate_api.v1.serializers.providers import CallErrorSerializer
from automate_api.v1.serializers.rows import RowSerializer


class StepSerializer(serializers.Serializer[Any]):
    """One attempt within a run."""

    optional_in_answers = ("duration_ms", "code")

    name = serializers.CharField(help_text=_("The task type."))
    attempt = serializers.IntegerField(min_value=1, help_text=_("Counts from 1."))
    status = serializers.CharField(help_text=_("`running`, `succeeded`, `failed` or `cancelled`."))
    started_ms = serializers.IntegerField(min_value=0, help_text=_("When it began, from the start of the run."))
    duration_ms = serializers.IntegerField(
        required=False, min_value=0, help_text=_("How long it took; absent while it goes on.")
    )
    code = serializers.CharField(required=False, help_text=_("The error code, where it did not succeed."))


class ExecutionSerializer(RowSerializer[Execution]):
    """One run: what went in, how it ended, what it cost."""

    input = serializers.JSONField(read_only=True, help_text=_("What went in."))
    params = ObjectField(read_only=True, help_text=_("The parameters that the caller sent."))
    output = serializers.JSONField(
        read_only=True,
        allow_null=True,
        help_text=_("What came out; its form is the task type's. `{partial}` of an answer that broke off."),
    )
    error = CallErrorSerializer(read_only=True, allow_null=True, help_text=_("How it failed, if it did."))
    usage = UsageField(
        read_only=True,
        allow_null=True,
        help_text=_("Tokens as the model server counted them; null where it did not."),
    )
    steps = StepSerializer(many=True, read_only=True, help_text=_("The attempts, in their order."))

    class Meta:
        model = Execution
        fields = (
            "id",
            "endpoint",
            "endpoint_version",
            "llm_client",
            "provider",
            "model",
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
            "replay_of",
            "user",
            "correlation_id",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields
        extra_kwargs = helped(
            endpoint=_("The endpoint that was run; null: it was deleted since."),
            endpoint_version=_(
                "The endpoint's version at that time; null: an app ran this itself, without an endpoint."
            ),
            llm_client=_("The LLM client it ran on; null: none, or deleted since."),
            provider=_("The provider that was called without an LLM client; null: none, or deleted since."),
            model=_("The model that was called there; empty: an LLM client says it, or none was called."),
            task_type=_("What was done."),
            status=_("Where it stands."),
            cost=_("US dollars; null: no price is known."),
            first_token_ms=_("Milliseconds to the first piece of the answer; null: none came."),
            duration_ms=_("Milliseconds in all; null while it goes on."),
            replay_of=_("The execution that was run again; null: none, or deleted since."),
            user=_("Who ran it; null: deleted since."),
            correlation_id=_("Of the request that ran it."),
            finished_at=_("When it ended; null while it goes on."),
        )


@cache
def _serializer() -> ExecutionSerializer:
    return ExecutionSerializer()


def answer_of(execution: Execution) -> dict[str, Any]:
    """`execution` on the wire."""
    # Representing leaves nothing behind, so that one serializer, whose fields are costly to make, serves all.
    answer: dict[str, Any] = _serializer().to_representation(execution)
    return answer
