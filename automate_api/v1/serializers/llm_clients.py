"""LLM clients on the wire."""

from typing import Any

from rest_framework import serializers

from automate_api.models import LLMClient, Provider
from automate_api.v1.serializers.fields import NumberField, ObjectField, ReadableRelatedField


class SharingSerializer(serializers.Serializer[Any]):
    """Who an LLM client is shared with."""

    tenant = serializers.BooleanField(help_text="Every member of the tenant.")
    users = serializers.ListField(child=serializers.CharField(), help_text="Ids of users.")
    groups = serializers.ListField(child=serializers.IntegerField(), help_text="Ids of groups.")


class LLMClientSerializer(serializers.ModelSerializer[LLMClient]):
    """An LLM client, as read and as written."""

    slug = serializers.SlugField(max_length=64, required=False)
    provider = ReadableRelatedField(queryset=Provider.objects.all())
    temperature = NumberField(required=False, allow_null=True, min_value=0, max_value=2)
    parameters = ObjectField(required=False)
    tools = serializers.ListField(child=ObjectField(), required=False)
    sharing = SharingSerializer(read_only=True)

    class Meta:
        model = LLMClient
        fields = (
            "id",
            "name",
            "slug",
            "description",
            "provider",
            "model",
            "system_prompt",
            "temperature",
            "max_tokens",
            "parameters",
            "tools",
            "sharing",
            "owner",
            "version",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("owner", "version", "created_at", "updated_at")
        validators: list[Any] = []
