"""Executions: one row for each run of an endpoint, or of an LLM client or a provider alone."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from automate_api.ids import uuid7
from automate_api.models.endpoint import Endpoint
from automate_api.models.llm_client import LLMClient
from automate_api.models.provider import Provider
from automate_api.models.tenant import OwnedQuerySet, TenantModel


class Execution(TenantModel):
    """One logical run: what went in, how it ended, what it cost."""

    class Status(models.TextChoices):
        """Where the run stands. The last three are final."""

        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    UNFINISHED = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("user"), null=True, related_name="+"
    )
    endpoint = models.ForeignKey(
        Endpoint, models.SET_NULL, verbose_name=_("endpoint"), null=True, related_name="executions"
    )
    endpoint_version = models.PositiveIntegerField(
        _("endpoint version"), null=True, help_text=_("Empty: an app ran this itself, without an endpoint.")
    )
    llm_client = models.ForeignKey(
        LLMClient, models.SET_NULL, verbose_name=_("LLM client"), null=True, related_name="+"
    )
    task_type = models.CharField(_("task type"), max_length=64)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.RUNNING)
    input = models.JSONField(_("input"), encoder=DjangoJSONEncoder)
    params = models.JSONField(_("parameters"), default=dict, encoder=DjangoJSONEncoder)
    output = models.JSONField(_("output"), null=True, encoder=DjangoJSONEncoder)
    error = models.JSONField(_("error"), null=True)
    usage = models.JSONField(_("usage"), null=True)
    cost = models.DecimalField(_("cost"), max_digits=16, decimal_places=8, null=True, help_text=_("US dollars."))
    steps = models.JSONField(_("steps"), default=list, encoder=DjangoJSONEncoder)
    first_token_ms = models.PositiveIntegerField(_("milliseconds to the first token"), null=True)
    duration_ms = models.PositiveIntegerField(_("milliseconds in all"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    correlation_id = models.CharField(_("correlation id"), max_length=128)
    llm_client_version = models.PositiveIntegerField(_("LLM client version"), null=True)
    replay_of = models.ForeignKey(
        "self", models.SET_NULL, verbose_name=_("replay of"), null=True, related_name="replays"
    )
    leased_until = models.DateTimeField(_("leased until"), null=True)
    provider = models.ForeignKey(
        Provider,
        models.SET_NULL,
        verbose_name=_("provider"),
        null=True,
        related_name="+",
        help_text=_("Where it was called without an LLM client."),
    )
    model = models.CharField(
        _("model"), max_length=200, blank=True, help_text=_("What was called there, without an LLM client.")
    )

    objects: ClassVar[Any] = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("execution")
        verbose_name_plural = _("executions")
        ordering = ("-created_at", "-pk")
        indexes = (
            models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_execution_list"),
            models.Index(fields=("tenant_id", "user", "-created_at", "-id"), name="automate_execution_mine"),
            models.Index(fields=("tenant_id", "correlation_id"), name="automate_execution_corr"),
            models.Index(
                fields=("leased_until", "created_at"),
                name="automate_execution_unended",
                condition=models.Q(status="running"),
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def runs_client(self) -> bool:
        """Whether it runs an LLM client without an endpoint. What a deleted client ran still says so."""
        return self.endpoint_version is None and self.llm_client_version is not None

    @property
    def is_callers(self) -> bool:
        """Whether it runs an LLM client or a provider's model, which a caller has named."""
        return self.runs_client or self.runs_provider

    @property
    def runs_provider(self) -> bool:
        """Whether it calls a model of a provider, without an endpoint and an LLM client; also once that is deleted."""
        return self.endpoint_version is None and self.llm_client_version is None and self.model != ""
