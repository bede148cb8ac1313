"""Jobs: runs that outlive the process that works on them, and what they say meanwhile."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from automate_api.ids import uuid7
from automate_api.models.execution import Execution
from automate_api.models.now import Now
from automate_api.models.tenant import OwnedQuerySet, TenantModel
from automate_api.security.secrets import SecretField


class JobQuerySet(OwnedQuerySet):
    """Jobs by what may be done with them; the database's clock decides."""

    def unfinished(self) -> Self:
        """Those that have not ended."""
        return self.filter(status__in=Job.UNFINISHED)

    def due(self) -> Self:
        """Those that a worker may begin now."""
        return self.filter(status__in=Job.WAITING, not_before__lte=Now(), cancel_requested_at__isnull=True)

    def abandoned(self) -> Self:
        """Those whose lease has run out: whoever worked on them is gone."""
        return self.filter(status=Job.Status.RUNNING, leased_until__lte=Now())

    def waited(self) -> Self:
        """Those that were not to begin before now, and that no queue knows of."""
        return self.due().filter(enqueued_at__isnull=True)

    def to_continue(self) -> Self:
        """Those that have ended without their continuation, which is to be called now."""
        return self.filter(continues_at__lte=Now())


class Job(TenantModel):
    """The durable carrier of one execution: who works on it, until when, and how often it was tried."""

    class Status(models.TextChoices):
        """Where the job stands. The last three are final."""

        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        RETRYING = "retrying", _("retrying")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    WAITING = (Status.QUEUED, Status.RETRYING)
    UNFINISHED = (*WAITING, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("user"), null=True, related_name="+"
    )
    execution = models.OneToOneField(Execution, models.CASCADE, verbose_name=_("execution"), related_name="job")
    request = SecretField(_("request"), help_text=_("What the caller sent, encrypted, until the job has ended."))
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.QUEUED)
    priority = models.SmallIntegerField(_("priority"), default=0, help_text=_("From -100 to 100; higher comes first."))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    max_attempts = models.PositiveSmallIntegerField(_("most attempts"))
    timeout_seconds = models.FloatField(_("timeout"), help_text=_("Seconds that an attempt may take."))
    not_before = models.DateTimeField(_("not before"))
    token = models.UUIDField(_("token"), null=True, help_text=_("Who works on it; a later attempt has another."))
    leased_until = models.DateTimeField(_("leased until"), null=True)
    enqueued_at = models.DateTimeField(
        _("enqueued at"), null=True, help_text=_("Empty: it is handed to a worker when its time has come.")
    )
    cancel_requested_at = models.DateTimeField(_("cancel requested at"), null=True)
    progress = models.JSONField(_("progress"), null=True)
    error = models.JSONField(_("error"), null=True)
    last_event = models.PositiveBigIntegerField(_("last event"), default=0)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    continuation = models.CharField(
        _("continuation"), max_length=64, blank=True, help_text=_("What an app does when the job ends.")
    )
    continues_at = models.DateTimeField(
        _("continues at"), null=True, help_text=_("When that is tried again: it has failed.")
    )
    depth = models.PositiveSmallIntegerField(
        _("depth"), default=0, help_text=_("How many runs of workflows led to this.")
    )

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ("-created_at", "-pk")
        indexes = (
            models.Index(fields=("tenant_id", "-created_at", "-id"), name="automate_job_list"),
            models.Index(fields=("tenant_id", "user", "-created_at", "-id"), name="automate_job_mine"),
            models.Index(
                fields=("status", "leased_until", "enqueued_at"),
                name="automate_job_unended",
                condition=models.Q(status__in=("queued", "retrying", "running")),
            ),
            models.Index(
                fields=("not_before",), name="automate_job_waits", condition=models.Q(enqueued_at__isnull=True)
            ),
            models.Index(
                fields=("continues_at",),
                name="automate_job_continues",
                condition=models.Q(continues_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class JobEvent(models.Model):
    """One event of a job, in the job's own sequence."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    sequence = models.PositiveBigIntegerField(_("sequence"))
    type = models.CharField(_("type"), max_length=16)
    data = models.JSONField(_("data"), encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("job event")
        verbose_name_plural = _("job events")
        ordering = ("job", "sequence")
        constraints = (models.UniqueConstraint(fields=("job", "sequence"), name="automate_jobevent_sequence"),)

    def __str__(self) -> str:
        return f"{self.job_id} {self.sequence}"


class JobStep(models.Model):
    """A step of a job that has been done: no later attempt does it again."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="done_steps")
    key = models.CharField(_("key"), max_length=200)
    result = models.JSONField(_("result"), null=True, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("job step")
        verbose_name_plural = _("job steps")
        constraints = (models.UniqueConstraint(fields=("job", "key"), name="automate_jobstep_key"),)

    def __str__(self) -> str:
        return f"{self.job_id} {self.key}"
