"""What the multi-modal gateway answers."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate_api.models import Execution
from automate_api.v1.schema.examples import EXAMPLES
from automate_api.v1.serializers.artifacts import ArtifactSerializer
from automate_api.v1.serializers.fields import UsageField


class RunOutcomeSerializer(serializers.Serializer[Any]):
    """What came of a run."""

    task_type = serializers.CharField(help_text=_("What was done."))
    outputs = serializers.JSONField(help_text=_("What came out; its form is the task type's."))
    artifacts = ArtifactSerializer(many=True, help_text=_("The files that the run made, in their order."))
    usage = UsageField(allow_null=True, help_text=_("Tokens as the model server counted them; null where it did not."))
    execution = serializers.UUIDField(help_text=_("The run."))


def outcome_of(execution: Execution) -> dict[str, Any]:
    """`execution`, which has succeeded, as `RunOutcomeSerializer` has it."""
    return {
        "task_type": execution.task_type,
        "outputs": execution.output,
        "artifacts": ArtifactSerializer(execution.artifacts.order_by("pk"), many=True).data,
        "usage": execution.usage,
        "execution": str(execution.pk),
    }


EXAMPLES["AutomateRunOutcome"] = {
    "task_type": "audio.tts",
    "outputs": {"artifact": EXAMPLES["AutomateArtifact"]["id"], "content_type": "audio/wav", "model": "tts-1"},
    "artifacts": [EXAMPLES["AutomateArtifact"]],
    "usage": None,
    "execution": EXAMPLES["AutomateExecution"]["id"],
}
