"""Workflows: what happens by itself, as it is now and as it was at each of its versions."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from automate_api.models.tenant import TenantModel, TenantQuerySet
from automate_api.security.secrets import SecretField


class Workflow(TenantModel):
    """A condition and a graph of steps. Its runs act with the rights of its owner."""

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=64)
    description = models.TextField(_("description"), blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Whose rights its runs have. Without one, nothing starts it."),
    )
    definition = models.JSONField(_("definition"), default=dict)
    condition = models.TextField(
        _("condition"), blank=True, editable=False, help_text=_("The definition's, where events look for it.")
    )
    secrets = SecretField(_("secrets"), help_text=_("By their names, as JSON; what its HTTP requests refer to."))
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects: ClassVar[Any] = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("workflow")
        verbose_name_plural = _("workflows")
        ordering = ("-created_at", "-pk")
        constraints = (models.UniqueConstraint(fields=("tenant_id", "slug"), name="automate_workflow_slug"),)
        indexes = (models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_workflow_list"),)

    def __str__(self) -> str:
        return self.name


class WorkflowVersion(models.Model):
    """A workflow's definition at one version. It never changes: a run is pinned to it."""

    workflow = models.ForeignKey(Workflow, models.CASCADE, verbose_name=_("workflow"), related_name="versions")
    version = models.PositiveIntegerField(_("version"))
    definition = models.JSONField(_("definition"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("user"), null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("workflow version")
        verbose_name_plural = _("workflow versions")
        ordering = ("-version",)
        constraints = (models.UniqueConstraint(fields=("workflow", "version"), name="automate_version_number"),)

    def __str__(self) -> str:
        return f"{self.workflow_id} v{self.version}"
