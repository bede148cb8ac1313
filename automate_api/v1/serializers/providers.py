"""Providers on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate_api.models import Provider
from automate_api.v1.serializers.fields import AddressField, helped
from automate_api.v1.serializers.rows import RowSerializer

_HELP = helped(
    name=_("What people call it."),
    slug=_("Unique in the tenant."),
    kind=_("The protocol it speaks."),
    default_model=_("The model that is called where nobody names one."),
    timeout_seconds=_("Seconds that one call may take in all."),
    max_retries=_("How often a call is tried again before its first token."),
    enabled=_("Whether it is called."),
)
_BASE_URL = _("Where it is, up to and including the version, such as `https://api.example.com/v1`.")


class ProviderMemberSerializer(RowSerializer[Provider]):
    """What a member of the tenant sees of a provider."""

    base_url = AddressField(read_only=True, help_text=_BASE_URL)

    class Meta:
        model = Provider
        fields = ("id", "name", "slug", "base_url", "default_model", "enabled")
        read_only_fields = fields
        extra_kwargs = _HELP


class ProviderSerializer(RowSerializer[Provider]):
    """What staff of the tenant see of a provider, and what they write. The key is written and never shown."""

    slug = serializers.SlugField(
        max_length=64, required=False, help_text=_("Unique in the tenant; made of `name` if absent.")
    )
    base_url = AddressField(help_text=_BASE_URL)
    api_key = serializers.CharField(
        write_only=True,
        required=False,
        allow_blank=True,
        max_length=2000,
        help_text=_("The key it is called with. It is encrypted at rest and never shown; empty: none."),
    )
    has_api_key = serializers.BooleanField(read_only=True, help_text=_("Whether a key is stored."))

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
        extra_kwargs = _HELP
        validators: list[Any] = []


class CallErrorSerializer(serializers.Serializer[Any]):
    """How a call to a model server failed."""

    code = serializers.CharField(help_text=_("One of the error codes of this API."))
    detail = serializers.CharField(help_text=_("What happened, for people."))


class ProviderTestSerializer(serializers.Serializer[Any]):
    """What came of calling a provider."""

    ok = serializers.BooleanField(help_text=_("Whether it answered as it should."))
    latency_ms = serializers.IntegerField(min_value=0, help_text=_("Milliseconds that it took."))
    models = serializers.ListField(
        child=serializers.CharField(), help_text=_("The models it names; none where it failed.")
    )
    error = CallErrorSerializer(allow_null=True, help_text=_("How it failed, if it did."))
