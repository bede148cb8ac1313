"""Lists of users and groups that something is open to."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

MOST_GRANTEES = 200


class GrantsSerializer(serializers.Serializer[Any]):
    """For a serializer with the fields `users` and `groups`: at most 200 of each."""

    def to_internal_value(self, data: Any) -> Any:
        """The users and groups themselves; each id is looked up, so that there may not be too many."""
        for name in ("users", "groups"):
            if isinstance(data, dict) and isinstance(data.get(name), list) and len(data[name]) > MOST_GRANTEES:
                detail = _("At most %(most)s may be named; a group counts as one.") % {"most": MOST_GRANTEES}
                raise serializers.ValidationError({name: [detail]}, code="max_length")
        return super().to_internal_value(data)

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """What a row says of itself, as it is: it holds ids already."""
        return instance
