"""Workflows, their versions and their documents on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate.models import Trigger, Workflow, WorkflowVersion
from automate.services.secrets import LONGEST_SECRET, secret_names
from automate.services.transfer import FORMAT, MOST_TRIGGERS
from automate_api.v1.serializers.fields import ObjectField, helped
from automate_api.v1.serializers.rows import RowSerializer

_DEFINITION = _("Its condition, its steps and its output; `schemas/definition/` says what may stand there.")


class WorkflowSerializer(RowSerializer[Workflow]):
    """A condition and a graph of steps, which happen by themselves."""

    slug = serializers.SlugField(
        max_length=64, required=False, help_text=_("Unique in the tenant; made of `name` if absent.")
    )
    description = serializers.CharField(
        required=False, allow_blank=True, max_length=10_000, help_text=_("What it is for.")
    )
    definition = ObjectField(help_text=_DEFINITION)
    secrets = serializers.DictField(
        child=serializers.CharField(allow_null=True, trim_whitespace=False, max_length=LONGEST_SECRET),
        write_only=True,
        required=False,
        help_text=_(
            "Strings that headers of its HTTP requests refer to, by their names. They are merged into those there are; "
            "null takes one away. They are encrypted at rest and never shown."
        ),
    )
    secret_names = serializers.SerializerMethodField(
        help_text=_("The names of its secrets; null: no key of the host decrypts them.")
    )

    class Meta:
        model = Workflow
        fields = (
            "id",
            "name",
            "slug",
            "description",
            "enabled",
            "definition",
            "secrets",
            "secret_names",
            "owner",
            "version",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("owner", "version", "created_at", "updated_at")
        extra_kwargs = helped(
            name=_("What people call it."),
            enabled=_("Whether anything starts it."),
            owner=_(
                "Whose rights its runs have: who changed the definition last; null: deleted since, and nothing starts "
                "it."
            ),
            version=_("Counts up with every change of the definition."),
        )
        validators: list[Any] = []

    def get_secret_names(self, workflow: Workflow) -> list[str] | None:
        """The names of its secrets."""
        return secret_names(workflow)


class WorkflowVersionSerializer(RowSerializer[WorkflowVersion]):
    """A workflow's definition at one version, which never changes."""

    definition = ObjectField(read_only=True, help_text=_("Its condition, its steps and its output at that version."))

    class Meta:
        model = WorkflowVersion
        fields = ("version", "definition", "user", "created_at")
        read_only_fields = fields
        extra_kwargs = helped(
            version=_("Counts from 1."), user=_("Who changed the workflow to this; null: deleted since.")
        )


class WorkflowInputSerializer(serializers.Serializer[Any]):
    """What a run is started with."""

    input = serializers.JSONField(
        required=False,
        default=dict,
        help_text=_("`event.payload` of the run; it has to fit the definition's `input_schema`."),
    )


class ValidationRequestSerializer(serializers.Serializer[Any]):
    """A definition to be looked at."""

    definition = serializers.JSONField(allow_null=True, help_text=_("What might be saved; any JSON."))


class StoredValidationRequestSerializer(serializers.Serializer[Any]):
    """A definition to be looked at, or none for the one that is stored."""

    definition = serializers.JSONField(
        required=False, allow_null=True, help_text=_("What might be saved; the workflow's own where it is left out.")
    )


class FaultSerializer(serializers.Serializer[Any]):
    """One thing that is wrong with a definition."""

    field = serializers.CharField(
        help_text=_("Where it is, with the names of steps, as in `definition.steps.ask.with.endpoint`.")
    )
    code = serializers.CharField(help_text=_("What it is, for programs."))
    detail = serializers.CharField(help_text=_("What it is, for people."))


class ValidationSerializer(serializers.Serializer[Any]):
    """What is wrong with a definition."""

    valid = serializers.BooleanField(help_text=_("Whether it may be saved."))
    errors = FaultSerializer(  # type: ignore[assignment]  # a field of this name is no attribute of the class
        many=True, help_text=_("What is wrong; none where it is valid.")
    )


class TriggerDocumentSerializer(RowSerializer[Trigger]):
    """A trigger in a document: without ids, tokens and secrets, and with what those of its kind have."""

    optional_in_answers = ("pattern", "schedule", "time_zone", "catch_up", "signature")

    class Meta:
        model = Trigger
        fields = ("name", "kind", "enabled", "pattern", "schedule", "time_zone", "catch_up", "signature")
        extra_kwargs = helped(
            name=_("What people call it."),
            kind=_("What starts the workflow."),
            enabled=_("Whether it starts anything."),
            pattern=_("Of an event its type, or the beginning of types and a `*`; of a model its label."),
            schedule=_("Five fields, as cron has them."),
            time_zone=_("Of the schedule, as the IANA database names it."),
            catch_up=_("What becomes of times that passed while no scheduler ran."),
            signature=_("How a hook's sender proves who it is."),
        )
        validators: list[Any] = []


class WorkflowDocumentSerializer(serializers.Serializer[Any]):
    """A workflow with its triggers, to be kept or imported elsewhere; `schemas/document/` says it in full."""

    format = serializers.ChoiceField([FORMAT], help_text=_("What this document is."))
    name = serializers.CharField(max_length=200, help_text=_("What people call it."))
    slug = serializers.SlugField(
        required=False, max_length=64, help_text=_("Unique in the tenant; made of `name` if absent.")
    )
    description = serializers.CharField(
        required=False, allow_blank=True, max_length=10_000, help_text=_("What it is for.")
    )
    definition = ObjectField(help_text=_("Its condition and its steps; endpoints stand there by their slugs."))
    triggers = TriggerDocumentSerializer(  # type: ignore[call-arg]  # the list takes it
        many=True, required=False, max_length=MOST_TRIGGERS, help_text=_("What starts it.")
    )
