"""Prompt logs: what was said to a model, and what it said."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from automate_api.ids import uuid7
from automate_api.models.execution import Execution
from automate_api.models.tenant import OwnedQuerySet, TenantModel


class PromptLog(TenantModel):
    """The conversation of one execution, redacted before it was stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("user"), null=True, related_name="+"
    )
    execution = models.OneToOneField(Execution, models.CASCADE, verbose_name=_("execution"), related_name="prompt_log")
    log_key = models.CharField(_("log key"), max_length=128)
    system = models.TextField(_("system prompt"), blank=True)
    history = models.JSONField(_("history"), default=list)
    response = models.TextField(_("response"), blank=True)
    model = models.CharField(_("model"), max_length=200, blank=True)
    provider = models.CharField(_("provider"), max_length=64, blank=True)
    usage = models.JSONField(_("usage"), null=True)

    objects: ClassVar[Any] = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("prompt log")
        verbose_name_plural = _("prompt logs")
        ordering = ("-created_at", "-pk")
        constraints = (models.UniqueConstraint(fields=("tenant_id", "log_key"), name="automate_promptlog_key"),)
        indexes = (models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_promptlog_list"),)

    def __str__(self) -> str:
        return self.log_key
