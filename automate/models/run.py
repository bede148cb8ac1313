"""Runs of workflows, and of their steps: what has happened, what happens now, and what is waited for."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from automate.models.trigger import Trigger
from automate.models.workflow import Workflow, WorkflowVersion
from automate_api.ids import uuid7
from automate_api.models import Event, Execution
from automate_api.models.tenant import OwnedQuerySet, TenantModel


class WorkflowRun(TenantModel):
    """One run of one version of a workflow, from the event that started it to its end."""

    class Status(models.TextChoices):
        """Where the run stands. `waiting` is running with nothing at work; the last three are final."""

        RUNNING = "running", _("running")
        WAITING = "waiting", _("waiting")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    UNFINISHED = (Status.RUNNING, Status.WAITING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("user"),
        null=True,
        related_name="+",
        help_text=_("Who caused it; its steps act with the rights of the workflow's owner."),
    )
    workflow = models.ForeignKey(Workflow, models.SET_NULL, verbose_name=_("workflow"), null=True, related_name="runs")
    version = models.ForeignKey(
        WorkflowVersion, models.SET_NULL, verbose_name=_("version"), null=True, related_name="runs"
    )
    trigger = models.ForeignKey(Trigger, models.SET_NULL, verbose_name=_("trigger"), null=True, related_name="runs")
    event = models.ForeignKey(Event, models.SET_NULL, verbose_name=_("event"), null=True, related_name="+")
    execution = models.ForeignKey(
        Execution,
        models.SET_NULL,
        verbose_name=_("execution"),
        null=True,
        related_name="+",
        help_text=_("Of an endpoint that runs the workflow."),
    )
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.RUNNING)
    context = models.JSONField(
        _("context"), encoder=DjangoJSONEncoder, help_text=_("The event, as the expressions see it.")
    )
    output = models.JSONField(_("output"), null=True, encoder=DjangoJSONEncoder)
    error = models.JSONField(_("error"), null=True)
    depth = models.PositiveSmallIntegerField(_("depth"), default=1, help_text=_("How many runs led to it, with it."))
    correlation_id = models.CharField(_("correlation id"), max_length=128)
    replay_of = models.ForeignKey(
        "self", models.SET_NULL, verbose_name=_("replay of"), null=True, related_name="replays"
    )
    finished_at = models.DateTimeField(_("finished at"), null=True)

    objects: ClassVar[Any] = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("workflow run")
        verbose_name_plural = _("workflow runs")
        ordering = ("-created_at", "-pk")
        constraints = (models.UniqueConstraint(fields=("trigger", "event"), name="automate_run_once"),)
        indexes = (
            models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_run_list"),
            models.Index(fields=("tenant_id", "user", "-created_at", "-id"), name="automate_run_mine"),
            models.Index(fields=("tenant_id", "correlation_id"), name="automate_run_corr"),
            models.Index(fields=("workflow", "-created_at", "-id"), name="automate_run_workflow"),
        )

    def __str__(self) -> str:
        return str(self.pk)


class StepRun(models.Model):
    """One step of a run; in a for-each there is one for each item."""

    class Status(models.TextChoices):
        """Where the step stands. The last four are final."""

        RUNNING = "running", _("running")
        WAITING = "waiting", _("waiting")
        RETRYING = "retrying", _("retrying")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("skipped")
        CANCELLED = "cancelled", _("cancelled")

    UNFINISHED = (Status.RUNNING, Status.WAITING, Status.RETRYING)

    run = models.ForeignKey(WorkflowRun, models.CASCADE, verbose_name=_("run"), related_name="steps")
    scope = models.CharField(
        _("scope"), max_length=200, blank=True, help_text=_("Empty, or the iteration it is part of, as each.3.")
    )
    name = models.CharField(_("name"), max_length=40)
    type = models.CharField(_("type"), max_length=64)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.RUNNING)
    input = models.JSONField(_("input"), null=True, encoder=DjangoJSONEncoder)
    output = models.JSONField(_("output"), null=True, encoder=DjangoJSONEncoder)
    error = models.JSONField(_("error"), null=True)
    taken = models.JSONField(_("taken"), default=list, help_text=_("The steps it has led to."))
    execution = models.OneToOneField(
        Execution,
        models.SET_NULL,
        verbose_name=_("execution"),
        null=True,
        related_name="+",
        help_text=_("What carries it, or carried it last."),
    )
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    wakes_at = models.DateTimeField(_("wakes at"), null=True)
    waits_for = models.CharField(
        _("waits for"), max_length=200, blank=True, help_text=_("Types of events, as triggers have them.")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("decided by"), null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("step run")
        verbose_name_plural = _("step runs")
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("run", "scope", "name"), name="automate_steprun_path"),)
        indexes = (
            models.Index(fields=("waits_for",), name="automate_steprun_waits", condition=models.Q(status="waiting")),
        )

    def __str__(self) -> str:
        return self.path

    @property
    def path(self) -> str:
        """The step's name, after the iterations it is part of: `ask`, or `each.3.ask`."""
        return f"{self.scope}.{self.name}" if self.scope else self.name
