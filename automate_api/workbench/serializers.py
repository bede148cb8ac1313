"""The workbench's objects on the wire, in camel case as its front ends have them."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from inflection import camelize
from rest_framework import serializers

from automate_api.models import LLMClient, Provider
from automate_api.v1.serializers.fields import AddressField, ObjectField, ObjectListField, helped
from automate_api.v1.serializers.llm_clients import CLIENT_HELP, TEMPERATURE_HELP, SharingSerializer
from automate_api.v1.serializers.rows import RowSerializer


class CamelCaseSerializer(serializers.Serializer[Any]):
    """A serializer whose fields have their names in camel case; what stands inside a JSON value is left as it is.

    `named` has names that are others altogether.
    """

    named: ClassVar[dict[str, str]] = {}

    def get_fields(self) -> dict[str, Any]:
        """The fields, by the names they have on the wire."""
        fields: dict[str, Any] = {}
        for name, field in super().get_fields().items():
            shown = self.named.get(name) or camelize(name, uppercase_first_letter=False)
            if shown != name and field.source is None:
                field.source = name
            fields[shown] = field
        return fields


class ListedProviderSerializer(RowSerializer[Provider]):
    """The provider of an LLM client."""

    class Meta:
        model = Provider
        fields = ("id", "name")
        read_only_fields = fields
        extra_kwargs = helped(name=_("What people call it."))


class ListedClientSerializer(CamelCaseSerializer, RowSerializer[LLMClient]):
    """An LLM client as the workbench lists it. Its context has the `actor` who asks."""

    named: ClassVar[dict[str, str]] = {"owner": "ownerId"}

    provider = ListedProviderSerializer(read_only=True, help_text=_("The model server that is called."))
    parameters = ObjectField(read_only=True, help_text=_("Further parameters; their names are as they were given."))
    tools = ObjectListField(
        read_only=True, help_text=_("Tools the model may call, as the OpenAI protocol has them, letter by letter.")
    )
    is_owner = serializers.SerializerMethodField(
        method_name="get_is_owner", help_text=_("Whether it is the caller's own.")
    )
    can_manage = serializers.SerializerMethodField(
        method_name="get_can_manage", help_text=_("Whether the caller may change, rename, share and delete it.")
    )
    sharing = serializers.SerializerMethodField(
        help_text=_("Who else may use it; null: that is not the caller's to know.")
    )

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
            "is_owner",
            "can_manage",
            "owner",
            "sharing",
            "version",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields
        extra_kwargs = helped(**CLIENT_HELP, slug=_("Unique in the tenant."), temperature=TEMPERATURE_HELP)

    @extend_schema_field({"type": "boolean"})
    def get_is_owner(self, client: LLMClient) -> bool:
        """Whether it is the caller's own."""
        return bool(client.owner_id == self.context["actor"].user.pk)

    @extend_schema_field({"type": "boolean"})
    def get_can_manage(self, client: LLMClient) -> bool:
        """Whether the caller may change it."""
        return client.is_managed_by(self.context["actor"])

    @extend_schema_field(SharingSerializer(allow_null=True))
    def get_sharing(self, client: LLMClient) -> dict[str, Any] | None:
        """Who else may use it, for those who decide that."""
        return client.sharing if client.is_managed_by(self.context["actor"]) else None


class ProviderMiniSerializer(RowSerializer[Provider]):
    """A provider as the workbench offers it."""

    base_url = AddressField(read_only=True, help_text=_("Where it is."))

    class Meta:
        model = Provider
        fields = ("id", "name", "base_url")
        read_only_fields = fields
        extra_kwargs = helped(name=_("What people call it."))


class ProviderListSerializer(serializers.Serializer[Any]):
    """The providers of the caller's tenant."""

    providers = ProviderMiniSerializer(many=True, help_text=_("Those that are switched on, by name."))


class NameAndAddressSerializer(serializers.Serializer[Any]):
    """How somebody is called and reached."""

    username = serializers.CharField(allow_null=True, help_text=_("Null: there is nobody."))
    email = serializers.CharField(
        allow_null=True, help_text=_("Null: there is none, or it is not the caller's to know.")
    )


class AccountSerializer(CamelCaseSerializer):
    """A tenant, as the workbench calls it."""

    account_number = serializers.CharField(allow_null=True, help_text=_("The tenant; null: the caller has none."))


class ProfileSerializer(serializers.Serializer[Any]):
    """Somebody within a tenant."""

    user = NameAndAddressSerializer(help_text=_("Who it is."))
    account = AccountSerializer(help_text=_("In which tenant."))


class ClientListSerializer(CamelCaseSerializer):
    """One page of LLM clients, who asks, and whom to ask."""

    user = ProfileSerializer(help_text=_("The caller."))
    admin = ProfileSerializer(help_text=_("The first of the tenant's staff; the e-mail address is for staff."))
    objects = ListedClientSerializer(many=True, help_text=_("The LLM clients of this page, the last changed first."))
    page = serializers.IntegerField(min_value=1, help_text=_("Which page this is, from 1."))
    page_size = serializers.IntegerField(min_value=1, help_text=_("LLM clients on a page."))
    count = serializers.IntegerField(min_value=0, help_text=_("LLM clients on all pages."))


class MessageSerializer(serializers.Serializer[Any]):
    """What was done."""

    message = serializers.CharField(help_text=_("What was done, for people."))
