"""Idempotency keys: which requests were carried out already, and what was answered."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from automate_api.ids import uuid7
from automate_api.models.now import Now
from automate_api.models.tenant import TenantModel, TenantQuerySet
from automate_api.security.secrets import SecretField


class IdempotencyKeyQuerySet(TenantQuerySet):
    """Keys by what may be done with them; the database's clock decides."""

    def abandoned(self) -> Self:
        """Not carried out to the end, and their lease has run out: whoever held them is gone."""
        return self.filter(completed_at__isnull=True, leased_until__lte=Now())

    def unleased(self) -> Self:
        """Nobody is at work on them."""
        return self.filter(models.Q(completed_at__isnull=False) | models.Q(leased_until__lte=Now()))


class IdempotencyKey(TenantModel):
    """One request of one caller, named by the caller. What was answered is stored encrypted: it may show a secret."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), related_name="+")
    key = models.CharField(_("key"), max_length=255)
    fingerprint = models.CharField(_("fingerprint"), max_length=64, help_text=_("SHA-256 of the request."))
    token = models.UUIDField(_("token"), help_text=_("Who holds the lease."))
    leased_until = models.DateTimeField(_("leased until"))
    completed_at = models.DateTimeField(_("completed at"), null=True)
    answer = SecretField(_("answer"))

    objects: ClassVar[Any] = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        ordering = ("-created_at", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("tenant_id", "user", "key"), name="automate_idempotency_caller"),
        )
        indexes = (models.Index(fields=("created_at",), name="automate_idempotency_age"),)

    def __str__(self) -> str:
        return self.key
