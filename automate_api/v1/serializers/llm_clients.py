"""LLM clients on the wire."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request

from automate_api.models import LLMClient, Provider
from automate_api.v1.serializers.fields import (
    GroupField,
    MemberField,
    NumberField,
    ObjectField,
    ReadableRelatedField,
    helped,
)
from automate_api.v1.serializers.grants import GrantsSerializer
from automate_api.v1.serializers.rows import RowSerializer


class SharingSerializer(GrantsSerializer):
    """Who an LLM client is shared with; at most 200 users and as many groups."""

    tenant = serializers.BooleanField(help_text=_("Every member of the tenant."))
    users = MemberField(many=True, help_text=_("Ids of users, members of the tenant."))
    groups = GroupField(many=True, help_text=_("Ids of groups that have a member in the tenant."))


#: What the columns of LLM clients say, whichever routes show them.
CLIENT_HELP: Mapping[str, Any] = {
    "name": _("What people call it; unique among those of its owner."),
    "description": _("What it is good for."),
    "model": _("The model's name at the provider; empty: the provider's default model."),
    "system_prompt": _("What the model is told before anything else."),
    "max_tokens": _("The longest answer, in tokens; null: as the model server has it."),
    "owner": _("Who made it."),
    "version": _("Counts up with every change but one of who it is shared with."),
}
TEMPERATURE_HELP = _("How freely it answers; null: as the model server has it.")


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
        help_text=TEMPERATURE_HELP,
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
            "deleted_at",
        )
        read_only_fields = ("owner", "version", "created_at", "updated_at", "deleted_at")
        extra_kwargs = helped(**CLIENT_HELP, deleted_at=_("When it was deleted; null: it is not."))
        validators: list[Any] = []


class NewNameSerializer(serializers.Serializer[Any]):
    """What something shall be called."""

    name = serializers.CharField(max_length=200, help_text=_("Unique among the LLM clients of its owner."))


class ChatRequestSerializer(serializers.Serializer[Any]):
    """What a caller may send to an LLM client: what to answer to, and nothing that says where or as whom."""

    input = serializers.JSONField(
        help_text=_("A text, or an object with `messages`, the conversation so far; see the task type `llm.chat`.")
    )
    params = ObjectField(
        required=False, help_text=_("Parameters of the task type `llm.chat`; they win over the LLM client's.")
    )


@cache
def _chat_request() -> ChatRequestSerializer:
    return ChatRequestSerializer()


def chat_request_of(request: Request) -> dict[str, Any]:
    """`input`, and `params` where they were sent, of a request to an LLM client.

    Raises:
        ValidationError: they do not fit.
    """
    # As `run_request_of`.
    asked: dict[str, Any] = _chat_request().run_validation(request.data)
    return asked
