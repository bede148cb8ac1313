"""LLM clients: a model with a system prompt and parameters, owned by somebody and perhaps shared."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from automate_api.models.provider import Provider
from automate_api.models.tenant import (
    Actor,
    Grant,
    SavedAtOnce,
    TenantModel,
    TenantQuerySet,
    granted_to,
    grantees,
    one_grantee,
    require_same_tenant,
)


class LLMClientQuerySet(TenantQuerySet):
    """LLM clients by what an actor may do with them. To each of these, a deleted one does not exist."""

    def of_tenant(self, tenant_id: str | None) -> Self:
        """Those of one tenant that are not deleted; none where there is no tenant."""
        return super().of_tenant(tenant_id).filter(deleted_at__isnull=True)

    def readable_by(self, actor: Actor) -> Self:
        """Its own and those shared with it; for tenant staff all of the tenant."""
        rows = super().readable_by(actor)
        return rows if actor.is_staff else rows.filter(models.Q(owner_id=actor.user.pk) | self.open_to(actor))

    def writable_by(self, actor: Actor) -> Self:
        """Its own; for tenant staff all of the tenant."""
        rows = super().readable_by(actor)
        return rows if actor.is_staff else rows.filter(owner_id=actor.user.pk)

    def owned_by(self, actor: Actor) -> Self:
        """Its own, also for staff."""
        return super().readable_by(actor).filter(owner_id=actor.user.pk)

    def shared_with(self, actor: Actor) -> Self:
        """Other people's that are shared with it, also for staff."""
        return super().readable_by(actor).filter(self.open_to(actor)).exclude(owner_id=actor.user.pk)

    def deleted_for(self, actor: Actor) -> Self:
        """Deleted ones that it would own, or as tenant staff manage."""
        rows = super().of_tenant(actor.tenant_id).filter(deleted_at__isnull=False)
        return rows if actor.is_staff else rows.filter(owner_id=actor.user.pk)

    def with_shares(self) -> Self:
        """The same, with `loaded_shares` read along: a queryset in each row would take longer than all the rest."""
        return self.prefetch_related(models.Prefetch("shares", to_attr="loaded_shares"))

    @staticmethod
    def open_to(actor: Actor) -> models.Q:
        """The condition on LLM clients that are shared with `actor`."""
        shares = LLMClientShare.objects.filter(granted_to(actor.user), llm_client=models.OuterRef("pk"))
        return models.Q(shared_with_tenant=True) | models.Q(models.Exists(shares))


class LLMClient(SavedAtOnce, TenantModel):
    """A model of a provider with everything that shapes its answers."""

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=64)
    description = models.TextField(_("description"), blank=True)
    provider = models.ForeignKey(Provider, models.PROTECT, verbose_name=_("provider"), related_name="llm_clients")
    model = models.CharField(
        _("model"), max_length=200, blank=True, help_text=_("Empty: the provider's default model.")
    )
    system_prompt = models.TextField(_("system prompt"), blank=True)
    temperature = models.FloatField(
        _("temperature"), null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(2)]
    )
    max_tokens = models.PositiveIntegerField(
        _("largest answer"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text=_("In tokens."),
    )
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    tools = models.JSONField(_("tools"), default=list, blank=True)
    shared_with_tenant = models.BooleanField(_("shared with the whole tenant"), default=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("owner"), related_name="automate_llm_clients"
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    deleted_at = models.DateTimeField(
        _("deleted at"),
        null=True,
        editable=False,
        help_text=_("Empty: it is not."),
    )

    objects: ClassVar[Any] = LLMClientQuerySet.as_manager()

    class Meta:
        verbose_name = _("LLM client")
        verbose_name_plural = _("LLM clients")
        ordering = ("-created_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant_id", "slug"), condition=models.Q(deleted_at=None), name="automate_llmclient_slug"
            ),
            models.UniqueConstraint(
                fields=("tenant_id", "owner", "name"),
                condition=models.Q(deleted_at=None),
                name="automate_llmclient_name",
            ),
        )
        indexes = (
            models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_llmclient_list"),
            models.Index(fields=("tenant_id", "name", "id"), name="automate_llmclient_by_name"),
            models.Index(fields=("tenant_id", "-updated_at", "-id"), name="automate_llmclient_changed"),
            models.Index(
                fields=("deleted_at",),
                condition=models.Q(deleted_at__isnull=False),
                name="automate_llmclient_deleted",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a provider of another tenant."""
        if self.provider_id is not None:
            require_same_tenant(self, "provider")

    def admits(self, actor: Actor) -> bool:
        """Whether `actor` may read it: the rule of `readable_by`, asked of a row that is at hand.

        One query, and only where it is neither managed by the actor nor shared with the whole tenant.
        """
        if self.deleted_at is not None or actor.tenant_id != self.tenant_id:
            return False
        if self.is_managed_by(actor) or self.shared_with_tenant:
            return True
        return bool(self.shares.filter(granted_to(actor.user)).exists())

    def is_managed_by(self, actor: Actor) -> bool:
        """Whether `actor` is its owner or staff of its tenant; also of a deleted one."""
        return actor.tenant_id == self.tenant_id and (actor.is_staff or self.owner_id == actor.user.pk)

    @property
    def effective_model(self) -> str:
        """The model that is called: its own, else the provider's default."""
        return self.model or self.provider.default_model

    @property
    def sharing(self) -> dict[str, Any]:
        """Who it is shared with, as `{"tenant": bool, "users": [id], "groups": [id]}`."""
        shares = getattr(self, "loaded_shares", None)
        return {"tenant": self.shared_with_tenant, **grantees(self.shares.all() if shares is None else shares)}


class LLMClientShare(SavedAtOnce, Grant):
    """One user or group an LLM client is shared with."""

    llm_client = models.ForeignKey(LLMClient, models.CASCADE, related_name="shares")

    class Meta:
        verbose_name = _("share")
        verbose_name_plural = _("shares")
        constraints = (
            one_grantee("automate_llmclientshare_grantee"),
            models.UniqueConstraint(fields=("llm_client", "user"), name="automate_llmclientshare_user"),
            models.UniqueConstraint(fields=("llm_client", "group"), name="automate_llmclientshare_group"),
        )

    def __str__(self) -> str:
        return f"{self.llm_client_id} → {self.user_id or self.group_id}"
