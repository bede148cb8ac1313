"""Providers on the wire."""

from typing import Any

from rest_framework import serializers

from automate_api.models import Provider


class ProviderMemberSerializer(serializers.ModelSerializer[Provider]):
    """What a member of the tenant sees of a provider."""

    class Meta:
        model = Provider
        fields = ("id", "name", "slug", "base_url", "default_model", "enabled")
        read_only_fields = fields


class ProviderSerializer(serializers.ModelSerializer[Provider]):
    """What staff of the tenant see of a provider, and what they write. The key is written and never shown."""

    slug = serializers.SlugField(max_length=64, required=False)
    api_key = serializers.CharField(write_only=True, required=False, allow_blank=True, max_length=2000)
    has_api_key = serializers.BooleanField(read_only=True)

    class Meta:
        model = Provider
        fields = (
            "id",
            "name",
            "slug",
            "kind",
            "base_url",
            "api_key",
            "has_api_key",
            "default_model",
            "timeout_seconds",
            "max_retries",
            "enabled",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("created_at", "updated_at")
        validators: list[Any] = []


class CallErrorSerializer(serializers.Serializer[Any]):
    """How a call to a model server failed."""

    code = serializers.CharField(help_text="One of the error codes of this API.")
    detail = serializers.CharField()


class ProviderTestSerializer(serializers.Serializer[Any]):
    """What came of calling a provider."""

    ok = serializers.BooleanField()
    latency_ms = serializers.IntegerField(help_text="Milliseconds.")
    models = serializers.ListField(child=serializers.CharField(), help_text="The models the provider names.")
    error = CallErrorSerializer(allow_null=True)
