"""LLM clients on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate_api.models import LLMClient, Provider
from automate_api.v1.serializers.fields import (
    GroupField,
    MemberField,
    NumberField,
    ObjectField,
    ReadableRelatedField,
    helped,
)
from automate_api.v1.serializers.rows import RowSerializer


class SharingSerializer(serializers.Serializer[Any]):
    """Who an LLM client is shared with."""

    tenant = serializers.BooleanField(help_text=_("Every member of the tenant."))
    users = MemberField(many=True, help_text=_("Ids of users."))
    groups = GroupField(many=True, help_text=_("Ids of groups."))

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """`LLMClient.sharing` as it is: it holds ids already."""
        return instance


class LLMClientSerializer(RowSerializer[LLMClient]):
    """A model of a provider with everything that shapes its answers."""

    slug = serializers.SlugField(
        max_length=64, required=False, help_text=_("Unique in the tenant; made of `name` if absent.")
    )
    provider = ReadableRelatedField(queryset=Provider.objects.all(), help_text=_("The model server that is called."))
    temperature = NumberField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=2,
        help_text=_("How freely it answers; null: as the model server has it."),
    )
    parameters = ObjectField(required=False, help_text=_("Further parameters of the task types that it is used for."))
    tools = serializers.ListField(
        child=ObjectField(), required=False, help_text=_("Tools the model may call, as the OpenAI protocol has them.")
    )
    sharing = SharingSerializer(read_only=True, help_text=_("Who else may use it."))

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
        extra_kwargs = helped(
            name=_("What people call it; unique among those of its owner."),
            description=_("What it is good for."),
            model=_("The model's name at the provider; empty: the provider's default model."),
            system_prompt=_("What the model is told before anything else."),
            max_tokens=_("The longest answer, in tokens; null: as the model server has it."),
            owner=_("Who made it."),
            version=_("Counts up with every change."),
        )
        validators: list[Any] = []
