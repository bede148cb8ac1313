"""Events: what happened elsewhere, as callers report it."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from automate_api.ids import uuid7
from automate_api.models.tenant import OwnedQuerySet, TenantModel


class Event(TenantModel):
    """One event, redacted before it was stored; its source sends it as often as it likes, and it is stored once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("user"), null=True, related_name="+"
    )
    type = models.CharField(_("type"), max_length=200)
    source = models.CharField(_("source"), max_length=200)
    payload = models.JSONField(_("payload"), default=dict)
    # NULL and not "": of those without a key there are many.
    idempotency_key = models.CharField(  # noqa: DJ001
        _("idempotency key"), max_length=255, null=True, help_text=_("What its source calls it.")
    )
    occurred_at = models.DateTimeField(_("occurred at"))
    correlation_id = models.CharField(_("correlation id"), max_length=128)
    depth = models.PositiveSmallIntegerField(
        _("depth"), default=0, help_text=_("How many runs of workflows led to this.")
    )

    objects: ClassVar[Any] = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("-created_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant_id", "source", "idempotency_key"), name="automate_event_idempotency"
            ),
        )
        indexes = (
            models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_event_list"),
            models.Index(fields=("tenant_id", "user", "-created_at", "-id"), name="automate_event_mine"),
            models.Index(fields=("tenant_id", "type", "-created_at", "-id"), name="automate_event_type"),
            models.Index(fields=("tenant_id", "correlation_id"), name="automate_event_corr"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"
