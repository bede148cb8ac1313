"""API keys on the wire."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate_api.models import APIKey
from automate_api.services.api_keys import MOST_OVERLAP
from automate_api.v1.serializers.fields import MemberField, MomentField, helped
from automate_api.v1.serializers.rows import RowSerializer


class APIKeySerializer(RowSerializer[APIKey]):
    """An API key without its secret."""

    user = MemberField(required=False, help_text=_("Whose key it is: a member of the tenant; the caller unless given."))
    expires_at = MomentField(
        required=False, allow_null=True, help_text=_("When it stops working; null: when it is revoked.")
    )
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=80),
        min_length=1,
        max_length=100,
        help_text=_("What it may do of what its user may: `<noun>:read`, `<noun>:write`, `<noun>:run`, or `*`."),
    )

    class Meta:
        model = APIKey
        fields: tuple[str, ...] = (
            *("id", "name", "user", "scopes", "expires_at", "previous_until", "revoked_at", "last_used_at"),
            "created_at",
        )
        read_only_fields = ("id", "previous_until", "revoked_at", "last_used_at", "created_at")
        extra_kwargs = helped(
            name=_("What it is for."),
            previous_until=_(
                "Until when the secret from before the last rotation works too; null: it does not, or there is none."
            ),
            revoked_at=_("When it was revoked; null: it was not."),
            last_used_at=_("When it was last used, to within some minutes; null: never."),
        )

    def validate_expires_at(self, value: Any) -> Any:
        """Refuse a time that has passed."""
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError(_("This time has passed."), code="in_the_past")
        return value


class RotationSerializer(serializers.Serializer[Any]):
    """How an API key is rotated."""

    overlap_seconds = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_OVERLAP,
        help_text=_(
            "For how long the old secret works beside the new one; 0: it stops at once. The host has a default."
        ),
    )


class IssuedAPIKeySerializer(APIKeySerializer):
    """An API key with its text, shown this once."""

    api_key = serializers.CharField(read_only=True, help_text=_("The key itself. It cannot be shown again."))

    class Meta(APIKeySerializer.Meta):
        fields = (*APIKeySerializer.Meta.fields, "api_key")
