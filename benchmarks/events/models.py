"""The others' tables: the columns and indexes of `automate_api.Event`, a table for each."""

from typing import Any

from django.conf import settings
from django.db import models

from automate_api.ids import uuid7
from automate_api.models import Event


def tenant_of(user: Any) -> str:
    """The tenant of a user; nobody needs a query to know it."""
    return str(user.last_name)


class ReportedEvent(models.Model):
    """An event."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    type = models.CharField(max_length=200)
    source = models.CharField(max_length=200)
    payload: Any = models.JSONField(default=dict)
    idempotency_key = models.CharField(max_length=255, null=True)  # noqa: DJ001 - as ours
    occurred_at = models.DateTimeField()
    correlation_id = models.CharField(max_length=128)

    class Meta:
        abstract = True
        constraints = (
            models.UniqueConstraint(fields=("tenant_id", "source", "idempotency_key"), name="%(class)s_key"),
        )
        indexes = (
            models.Index(fields=("tenant_id", "-created_at", "-id"), name="%(class)s_list"),
            models.Index(fields=("tenant_id", "user", "-created_at", "-id"), name="%(class)s_mine"),
            models.Index(fields=("tenant_id", "type", "-created_at", "-id"), name="%(class)s_type"),
            models.Index(fields=("tenant_id", "correlation_id"), name="%(class)s_corr"),
        )

    def __str__(self) -> str:
        return self.type


class PlainEvent(ReportedEvent):
    """Plain REST framework's."""


class NinjaEvent(ReportedEvent):
    """django-ninja's."""


def shape(model: type[models.Model]) -> Any:
    """Columns, unique constraints and indexes, in no order."""
    meta = model._meta  # noqa: SLF001 - Django's public _meta
    columns = {
        (field.column, field.get_internal_type(), field.null, field.max_length, field.db_index)
        for field in meta.concrete_fields
    }
    unique = {tuple(each.fields) for each in meta.constraints if isinstance(each, models.UniqueConstraint)}
    return columns, unique, {tuple(index.fields) for index in meta.indexes}


def require_equal_tables() -> None:
    """Exit where a table differs from ours, for then the figures compare nothing."""
    differing = [model.__name__ for model in (PlainEvent, NinjaEvent) if shape(model) != shape(Event)]
    if differing:
        raise SystemExit(f"Not the columns and indexes of Event: {', '.join(differing)}")
