"""Jobs on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate_api.models import Job
from automate_api.v1.serializers.fields import ObjectField, helped
from automate_api.v1.serializers.providers import CallErrorSerializer
from automate_api.v1.serializers.rows import RowSerializer


class JobSerializer(RowSerializer[Job]):
    """One job: where it stands and how often it was tried."""

    progress = ObjectField(read_only=True, allow_null=True, help_text=_("What it last said of its progress."))
    error = CallErrorSerializer(read_only=True, allow_null=True, help_text=_("How it failed, if it did."))
    cancel_requested = serializers.SerializerMethodField(help_text=_("Whether it was told to stop."))

    class Meta:
        model = Job
        fields = (
            "id",
            "execution",
            "status",
            "priority",
            "attempts",
            "max_attempts",
            "progress",
            "error",
            "cancel_requested",
            "user",
            "created_at",
            "not_before",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields
        extra_kwargs = helped(
            execution=_("The run that it carries."),
            status=_("Where it stands; the last three are final."),
            priority=_("From -100 to 100; higher comes first."),
            attempts=_("How often it was tried."),
            max_attempts=_("How often it may be tried."),
            user=_("Who made it; null: deleted since."),
            not_before=_("When it may be tried, or tried again."),
            started_at=_("When it was first tried; null: not yet."),
            finished_at=_("When it ended; null: not yet."),
        )

    def get_cancel_requested(self, job: Job) -> bool:
        """Whether somebody has cancelled it while it ran."""
        return job.cancel_requested_at is not None


class JobAcceptedSerializer(serializers.Serializer[Any]):
    """A job that was taken."""

    job_id = serializers.UUIDField(help_text=_("The job."))
    status = serializers.ChoiceField(Job.Status.choices, help_text=_("Where it stands: `queued`."))


class JobResultSerializer(serializers.Serializer[Any]):
    """Where a job stands, and what came of it."""

    status = serializers.ChoiceField(Job.Status.choices, help_text=_("Where it stands; the last three are final."))
    progress = ObjectField(allow_null=True, help_text=_("What it last said of its progress."))
    attempts = serializers.IntegerField(min_value=0, help_text=_("How often it was tried."))
    result = serializers.JSONField(allow_null=True, help_text=_("The execution's output; null until there is one."))
    error = CallErrorSerializer(allow_null=True, help_text=_("How it failed, if it did."))


def status_of_job(job: Job) -> dict[str, Any]:
    """`job`, with its execution, as `JobResultSerializer` has it."""
    return {
        "status": job.status,
        "progress": job.progress,
        "attempts": job.attempts,
        "result": job.execution.output,
        "error": job.error,
    }
