"""Providers: the model servers a tenant calls."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from automate_api.models.tenant import SavedAtOnce, TenantModel
from automate_api.security.secrets import SecretField


class Provider(SavedAtOnce, TenantModel):
    """A model server: its address, its key, and how patiently to call it."""

    class Kind(models.TextChoices):
        """The protocol the server speaks."""

        OPENAI = "openai", _("OpenAI protocol")

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=64)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.OPENAI)
    base_url = models.CharField(
        _("base URL"), max_length=500, help_text=_("Up to and including the version, as https://api.example.com/v1.")
    )
    api_key = SecretField(_("API key"), blank=True)
    default_model = models.CharField(_("default model"), max_length=200, blank=True)
    timeout_seconds = models.PositiveIntegerField(
        _("timeout"),
        default=120,
        validators=[MinValueValidator(1), MaxValueValidator(3600)],
        help_text=_("Seconds one call may take in all."),
    )
    max_retries = models.PositiveSmallIntegerField(
        _("retries"),
        default=2,
        validators=[MaxValueValidator(10)],
        help_text=_("How often a call is tried again before its first token."),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ("-created_at", "-pk")
        constraints = (models.UniqueConstraint(fields=("tenant_id", "slug"), name="automate_provider_slug"),)
        indexes = (models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_provider_list"),)

    def __str__(self) -> str:
        return self.name

    @property
    def has_api_key(self) -> bool:
        """Whether a key is stored; the key itself is never shown."""
        return bool(self.api_key)
