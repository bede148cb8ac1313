"""Prompt logs on the wire."""

from rest_framework import serializers

from automate_api.models import PromptLog


class PromptLogSerializer(serializers.ModelSerializer[PromptLog]):
    """What was said to a model, and what it said."""

    history = serializers.JSONField(read_only=True)
    usage = serializers.JSONField(read_only=True, allow_null=True)

    class Meta:
        model = PromptLog
        fields = (
            "id",
            "log_key",
            "system",
            "history",
            "response",
            "model",
            "provider",
            "usage",
            "execution",
            "user",
            "created_at",
        )
        read_only_fields = fields
