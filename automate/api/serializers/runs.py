"""Runs of workflows on the wire, and of their steps."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate.models import StepRun, WorkflowRun
from automate_api.v1.serializers.fields import ObjectField, helped
from automate_api.v1.serializers.providers import CallErrorSerializer
from automate_api.v1.serializers.rows import RowSerializer


class StepRunSerializer(RowSerializer[StepRun]):
    """One step of a run. What went in and came out, with the owner's rights, staff alone see."""

    path = serializers.CharField(
        read_only=True, help_text=_("Its name, after the iterations it is part of: `ask`, or `each.3.ask`.")
    )
    input = serializers.JSONField(
        read_only=True, allow_null=True, help_text=_("What its expressions gave; null for members.")
    )
    output = serializers.JSONField(read_only=True, allow_null=True, help_text=_("What came out; null for members."))
    error = CallErrorSerializer(read_only=True, allow_null=True, help_text=_("How it failed, if it did."))
    taken = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text=_("The names of the steps that it has led to.")
    )

    class Meta:
        model = StepRun
        fields = (
            "path",
            "name",
            "type",
            "status",
            "input",
            "output",
            "error",
            "taken",
            "tries",
            "execution",
            "wakes_at",
            "waits_for",
            "user",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields
        extra_kwargs = helped(
            name=_("Its name in the definition."),
            type=_("What it does."),
            status=_("Where it stands; the last four are final."),
            tries=_("How often it was tried."),
            execution=_("What carries it, or carried it last; null: nothing did, or deleted since."),
            wakes_at=_("When it stops waiting; null: it does not wait for a time."),
            waits_for=_("The type of event that it waits for, as a trigger has it."),
            user=_("Who approved or rejected it; null: nobody did, or deleted since."),
            created_at=_("When it began."),
            finished_at=_("When it ended; null: not yet."),
        )

    def to_representation(self, instance: StepRun) -> dict[str, Any]:
        """The step; for members without its input and its output."""
        shown = super().to_representation(instance)
        if not self.context["view"].get_actor().is_staff:
            shown["input"] = shown["output"] = None
        return shown


class WorkflowRunSerializer(RowSerializer[WorkflowRun]):
    """One run of a workflow, from the event that started it to its end."""

    version = serializers.IntegerField(
        source="version.version",
        default=None,
        read_only=True,
        allow_null=True,
        help_text=_("The workflow's version that it is pinned to; null: deleted since."),
    )
    context = ObjectField(  # type: ignore[assignment]  # a field of this name is no attribute of the class
        read_only=True, help_text=_("The event that started it, as expressions see it.")
    )
    output = serializers.JSONField(
        read_only=True, allow_null=True, help_text=_("What the definition's `output` gave; null: nothing, or not yet.")
    )
    error = CallErrorSerializer(read_only=True, allow_null=True, help_text=_("How it failed, if it did."))

    class Meta:
        model = WorkflowRun
        fields: tuple[str, ...] = (
            "id",
            "workflow",
            "version",
            "trigger",
            "event",
            "execution",
            "status",
            "context",
            "output",
            "error",
            "depth",
            "replay_of",
            "user",
            "correlation_id",
            "created_at",
            "finished_at",
        )
        read_only_fields: tuple[str, ...] = fields
        extra_kwargs = helped(
            workflow=_("What is run; null: deleted since."),
            trigger=_("What started it; null: somebody who asked for it, or deleted since."),
            event=_("The event that started it; null: none that is stored."),
            execution=_("The execution of an endpoint that runs the workflow; null: none."),
            status=_("Where it stands; the last three are final."),
            depth=_("How many runs led to it, with it."),
            replay_of=_("The run that was run again; null: none, or deleted since."),
            user=_("Who caused it; null: nobody, or deleted since. Its steps act with the rights of the owner."),
            correlation_id=_("Of what caused it."),
            finished_at=_("When it ended; null: not yet."),
        )


class WorkflowRunDetailSerializer(WorkflowRunSerializer):
    """One run with its steps. Those of iterations are at `steps/`, in pages."""

    steps = StepRunSerializer(
        many=True,
        read_only=True,
        source="own_steps",
        help_text=_("Its steps, in their order, but those of iterations."),
    )
    steps_count = serializers.SerializerMethodField(help_text=_("How many there are with those of iterations."))

    class Meta(WorkflowRunSerializer.Meta):
        fields = (*WorkflowRunSerializer.Meta.fields, "steps", "steps_count")
        read_only_fields = fields

    def get_steps_count(self, run: WorkflowRun) -> int:
        """How many there are in all."""
        return run.steps.count()


class WorkflowReplaySerializer(serializers.Serializer[Any]):
    """Where a run is run again from."""

    from_step = serializers.CharField(
        required=False,
        max_length=40,
        help_text=_("The step to begin at, with what those before it gave then; left out: the whole."),
    )


class DecisionSerializer(serializers.Serializer[Any]):
    """What somebody says to a step that waits for approval."""

    comment = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=2_000, help_text=_("Why; part of the step's output.")
    )
