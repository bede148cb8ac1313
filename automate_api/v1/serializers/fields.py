"""Serializer fields that know who is asking."""

import datetime
from math import isfinite
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import ISO_8601, serializers

from automate_api.tenancy import members_of

_MESSAGES: Any = {"does_not_exist": _("There is no such object."), "incorrect_type": _("This is not an id.")}


class KeyField(serializers.PrimaryKeyRelatedField[Any]):
    """A row by its id in the one spelling that ids have: `1.5`, `"1_0"` and `" 1"` are the ids of nothing."""

    default_error_messages = _MESSAGES

    def to_internal_value(self, data: Any) -> Any:
        """The row; a ValidationError where there is none."""
        row = super().to_internal_value(data)
        if str(row.pk) != str(data):
            self.fail("does_not_exist")
        return row


class ReadableRelatedField(KeyField):
    """A foreign key to a row that the caller may read; any other id does not exist, and no message repeats it."""

    def get_queryset(self) -> QuerySet[Any]:
        """The rows readable by the view's actor."""
        rows: Any = super().get_queryset()
        readable: QuerySet[Any] = rows.readable_by(self.context["view"].get_actor())
        return readable


class MemberField(KeyField):
    """A user of the caller's tenant."""

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("read_only"):
            kwargs.setdefault("queryset", get_user_model()._default_manager.all())  # noqa: SLF001 - Django's public name
        super().__init__(**kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        """The members of the tenant, as `AUTOMATE_API_TENANT_MEMBERS` says."""
        tenant_id = self.context["view"].get_actor().tenant_id
        users: QuerySet[Any] = get_user_model()._default_manager.none()  # noqa: SLF001 - Django's public name
        return users if tenant_id is None else members_of(tenant_id)


class GroupField(KeyField):
    """One of the host's groups that has a member in the caller's tenant; others are none of its business."""

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("read_only"):
            kwargs.setdefault("queryset", Group.objects.all())
        super().__init__(**kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        """The groups of the tenant's members."""
        tenant_id = self.context["view"].get_actor().tenant_id
        groups: QuerySet[Any] = Group.objects.none()
        return groups if tenant_id is None else Group.objects.filter(user__in=members_of(tenant_id)).distinct()


class NumberField(serializers.FloatField):
    """A finite number."""

    def to_internal_value(self, data: Any) -> float:
        """`data` as a float; a ValidationError for booleans, NaN and infinity."""
        number = super().to_internal_value(data)
        if isinstance(data, bool) or not isfinite(number):
            self.fail("invalid")
        return number


class MomentField(serializers.DateTimeField):
    """A time that has a date in every time zone, in RFC 3339, with its offset from UTC also where `USE_TZ` is off."""

    format = ISO_8601
    input_formats = (ISO_8601,)

    def default_timezone(self) -> datetime.tzinfo:
        """The current time zone; without `USE_TZ` that of `TIME_ZONE`, in which Django stores times then."""
        return timezone.get_current_timezone()

    def to_internal_value(self, value: Any) -> datetime.datetime:
        """`value` as Django stores it; a ValidationError for the first and the last year of the calendar."""
        try:
            moment: datetime.datetime = super().to_internal_value(value)
        except OverflowError:
            self.fail("overflow", timezone=self.default_timezone())
        if not datetime.MINYEAR < moment.year < datetime.MAXYEAR:
            self.fail("overflow", timezone=self.default_timezone())
        return moment if settings.USE_TZ else timezone.make_naive(moment)


class _ObjectField(serializers.JSONField):
    """A JSON object, whatever the OpenAPI description says of it."""

    default_error_messages: ClassVar[Any] = {"not_an_object": _("This must be a JSON object.")}

    def to_internal_value(self, data: Any) -> Any:
        """`data` where it is an object; a ValidationError for any other value."""
        value = super().to_internal_value(data)
        if not isinstance(value, dict):
            self.fail("not_an_object")
        return value


@extend_schema_field({"type": "object", "additionalProperties": {}})
class ObjectField(_ObjectField):
    """A JSON object."""


class RunInputField(serializers.JSONField):
    """What a task type takes. In the OpenAPI description it has the forms of `automate_api.v1.schema.tasks`."""


class RunParamsField(_ObjectField):
    """The parameters of a task type; described as its input is."""


@extend_schema_field({"type": "string", "format": "uri", "maxLength": 500})
class AddressField(serializers.CharField):
    """The address of a server. What it must look like, the provider's service says."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 500, **kwargs})


@extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": {}}})
class ObjectListField(serializers.JSONField):
    """A list of JSON objects, shown as it is stored."""


class UsageField(serializers.JSONField):
    """What a run used, shown as it is stored."""


#: What every row has.
ROW_HELP = {
    "id": {"help_text": _("Given by the server.")},
    "created_at": {"help_text": _("When it was made.")},
    "updated_at": {"help_text": _("When it was changed last.")},
}


def helped(**texts: Any) -> dict[str, dict[str, Any]]:
    """`Meta.extra_kwargs` with a help text for each of these columns, and for those that every row has."""
    return {**ROW_HELP, **{name: {"help_text": text} for name, text in texts.items()}}
