"""Serializer fields that know who is asking."""

from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate_api.tenancy import members_of

_MESSAGES: Any = {"does_not_exist": _("There is no such object."), "incorrect_type": _("This is not an id.")}


class ReadableRelatedField(serializers.PrimaryKeyRelatedField[Any]):
    """A foreign key to a row that the caller may read; any other id does not exist, and no message repeats it."""

    default_error_messages = _MESSAGES

    def get_queryset(self) -> QuerySet[Any]:
        """The rows readable by the view's actor."""
        rows: Any = super().get_queryset()
        readable: QuerySet[Any] = rows.readable_by(self.context["view"].get_actor())
        return readable


class MemberField(serializers.PrimaryKeyRelatedField[Any]):
    """A user of the caller's tenant."""

    default_error_messages = _MESSAGES

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("read_only"):
            kwargs.setdefault("queryset", get_user_model()._default_manager.all())  # noqa: SLF001 - Django's public name
        super().__init__(**kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        """The members of the tenant, as `AUTOMATE_API_TENANT_MEMBERS` says."""
        tenant_id = self.context["view"].get_actor().tenant_id
        users: QuerySet[Any] = get_user_model()._default_manager.none()  # noqa: SLF001 - Django's public name
        return users if tenant_id is None else members_of(tenant_id)


class GroupField(serializers.PrimaryKeyRelatedField[Any]):
    """One of the host's groups."""

    default_error_messages = _MESSAGES

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("read_only"):
            kwargs.setdefault("queryset", Group.objects.all())
        super().__init__(**kwargs)


class ObjectField(serializers.JSONField):
    """A JSON object."""

    default_error_messages: ClassVar[Any] = {"not_an_object": _("This must be a JSON object.")}

    def to_internal_value(self, data: Any) -> Any:
        """`data` where it is an object; a ValidationError for any other value."""
        value = super().to_internal_value(data)
        if not isinstance(value, dict):
            self.fail("not_an_object")
        return value
