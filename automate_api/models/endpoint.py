"""Endpoints: what a tenant's members may run."""

from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from automate_api.models.llm_client import LLMClient
from automate_api.models.tenant import (
    Actor,
    Grant,
    TenantModel,
    TenantQuerySet,
    granted_to,
    grantees,
    one_grantee,
    require_same_tenant,
)


class EndpointQuerySet(TenantQuerySet):
    """Endpoints by who may run them."""

    def readable_by(self, actor: Actor) -> Self:
        """For tenant staff all of the tenant, for a member those it may run."""
        rows = super().readable_by(actor)
        return rows if actor.is_staff else rows.filter(enabled=True).filter(self._admits(actor))

    def with_grants(self) -> Self:
        """The same, with `loaded_grants` read along, as `LLMClientQuerySet.with_shares` does."""
        return self.prefetch_related(models.Prefetch("grants", to_attr="loaded_grants"))

    @staticmethod
    def _admits(actor: Actor) -> models.Q:
        grants = EndpointGrant.objects.filter(granted_to(actor.user), endpoint=models.OuterRef("pk"))
        return models.Q(open_to_members=True) | models.Q(models.Exists(grants))


class Endpoint(TenantModel):
    """A task that callers run: its capability, its model, and what it accepts."""

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=64)
    task_types = models.JSONField(_("task types"), default=list)
    llm_client = models.ForeignKey(
        LLMClient, models.PROTECT, verbose_name=_("LLM client"), null=True, blank=True, related_name="endpoints"
    )
    config = models.JSONField(_("configuration"), default=dict, blank=True)
    input_schema = models.JSONField(
        _("input schema"), default=dict, blank=True, help_text=_("JSON Schema, draft 2020-12; empty accepts anything.")
    )
    default_params = models.JSONField(_("default parameters"), default=dict, blank=True)
    open_to_members = models.BooleanField(_("open to every member of the tenant"), default=True)
    rate_limit = models.CharField(
        _("rate limit"), max_length=32, blank=True, help_text=_("Runs per caller, as 100/h; empty: no limit.")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects: ClassVar[Any] = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        ordering = ("-created_at", "-pk")
        constraints = (models.UniqueConstraint(fields=("tenant_id", "slug"), name="automate_endpoint_slug"),)
        indexes = (models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_endpoint_list"),)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse an LLM client of another tenant, and a deleted one."""
        require_same_tenant(self, "llm_client")
        if self.llm_client is not None and self.llm_client.deleted_at is not None:
            raise ValidationError({"llm_client": ValidationError(_("This has been deleted."), code="deleted")})

    def admits(self, actor: Actor) -> bool:
        """Whether `actor` may run it: the rule of `readable_by`, asked of a row that is at hand.

        One query, and only where neither staff nor every member is admitted.
        """
        if actor.tenant_id != self.tenant_id:
            return False
        if actor.is_staff:
            return True
        return self.enabled and (self.open_to_members or self.grants.filter(granted_to(actor.user)).exists())

    @property
    def access(self) -> dict[str, Any]:
        """Who may run it besides tenant staff, as `{"members": bool, "users": [id], "groups": [id]}`."""
        grants = getattr(self, "loaded_grants", None)
        return {"members": self.open_to_members, **grantees(self.grants.all() if grants is None else grants)}


class EndpointGrant(Grant):
    """One user or group that may run an endpoint."""

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="grants")

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = (
            one_grantee("automate_endpointgrant_grantee"),
            models.UniqueConstraint(fields=("endpoint", "user"), name="automate_endpointgrant_user"),
            models.UniqueConstraint(fields=("endpoint", "group"), name="automate_endpointgrant_group"),
        )

    def __str__(self) -> str:
        return f"{self.endpoint_id} → {self.user_id or self.group_id}"
