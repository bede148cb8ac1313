"""API keys: a user's credentials for programs, narrowed to scopes."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from automate_api.ids import uuid7
from automate_api.models.now import Now
from automate_api.models.tenant import TenantModel, TenantQuerySet
from automate_api.tenancy import users_have


class APIKeyQuerySet(TenantQuerySet):
    """API keys by whether they still open anything."""

    def live(self) -> Self:
        """Neither revoked nor expired, of users who may still sign in; the database's clock decides.

        Where the host's users have no column `is_active`, whether they may is left to whoever reads them.
        """
        unexpired = models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=Now())
        keys = self.filter(unexpired, revoked_at__isnull=True)
        return keys.filter(user__is_active=True) if users_have("is_active") else keys


class APIKey(TenantModel):
    """One key. Only a digest of its secret is stored, and nothing shown is derived from the secret."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), related_name="automate_api_keys"
    )
    name = models.CharField(_("name"), max_length=200)
    digest = models.CharField(_("digest"), max_length=128, editable=False)
    previous_digest = models.CharField(_("previous digest"), max_length=128, blank=True, default="", editable=False)
    previous_until = models.DateTimeField(_("previous until"), null=True, blank=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)

    objects: ClassVar[Any] = APIKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ("-created_at", "-pk")
        indexes = (models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_apikey_list"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        """Whether it is neither revoked nor expired by this process's clock."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())
