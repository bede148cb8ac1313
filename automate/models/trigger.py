"""Triggers: what starts a workflow besides somebody who asks for it."""

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from automate.models.workflow import Workflow
from automate_api.models.tenant import TenantModel, TenantQuerySet, require_same_tenant
from automate_api.security.secrets import SecretField


class Trigger(TenantModel):
    """One thing that starts a workflow: an event, a request to a hook, a time, or a change of a host's model."""

    class Kind(models.TextChoices):
        """What starts it."""

        EVENT = "event", _("event")
        HOOK = "hook", _("inbound hook")
        SCHEDULE = "schedule", _("schedule")
        MODEL = "model", _("change of a model")

    class CatchUp(models.TextChoices):
        """What becomes of times that passed while no scheduler ran."""

        ALL = "all", _("each of them")
        LATEST = "latest", _("the latest of them")

    class Signature(models.TextChoices):
        """How a hook's sender proves who it is."""

        STANDARD = "standard-webhooks", _("Standard Webhooks")
        GITHUB = "github", _("GitHub: X-Hub-Signature-256")

    workflow = models.ForeignKey(Workflow, models.CASCADE, verbose_name=_("workflow"), related_name="triggers")
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    enabled = models.BooleanField(_("enabled"), default=True)
    pattern = models.CharField(
        _("pattern"),
        max_length=200,
        blank=True,
        help_text=_("Of an event its type, or the beginning of types and a *; of a model its label, as shop.Order."),
    )
    schedule = models.CharField(
        _("schedule"), max_length=200, blank=True, help_text=_("Five fields, as cron has them: 0 9 * * MON-FRI.")
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, default="UTC", help_text=_("Of the schedule, as Europe/Berlin.")
    )
    catch_up = models.CharField(_("missed times"), max_length=16, choices=CatchUp.choices, default=CatchUp.ALL)
    next_due = models.DateTimeField(_("next due"), null=True, editable=False)
    token_hash = models.CharField(  # noqa: DJ001 - of those without one there are many
        _("token's hash"), max_length=128, null=True, unique=True, editable=False
    )
    signature = models.CharField(_("signature"), max_length=32, choices=Signature.choices, blank=True)
    signing_secret = SecretField(_("signing secret"))
    last_fired_at = models.DateTimeField(_("last fired at"), null=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects: ClassVar[Any] = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("trigger")
        verbose_name_plural = _("triggers")
        ordering = ("-created_at", "-pk")
        indexes = (
            models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_trigger_list"),
            models.Index(fields=("tenant_id", "kind", "pattern"), name="automate_trigger_pattern"),
            models.Index(
                fields=("next_due",),
                name="automate_trigger_due",
                condition=models.Q(kind="schedule", enabled=True),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a workflow of another tenant."""
        require_same_tenant(self, "workflow")
