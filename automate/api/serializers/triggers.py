"""Triggers on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate.models import Trigger, Workflow
from automate_api.v1.serializers.fields import ReadableRelatedField, helped
from automate_api.v1.serializers.rows import RowSerializer


class TriggerSerializer(RowSerializer[Trigger]):
    """What starts a workflow besides somebody who asks for it."""

    workflow = ReadableRelatedField(queryset=Workflow.objects.all(), help_text=_("What it starts."))
    signing_secret = serializers.CharField(
        write_only=True,
        required=False,
        allow_blank=True,
        max_length=500,
        help_text=_("What the sender of a hook signs with. It is encrypted at rest and never shown; made if absent."),
    )
    has_signing_secret = serializers.SerializerMethodField(help_text=_("Whether there is one."))

    class Meta:
        model = Trigger
        fields: tuple[str, ...] = (
            "id",
            "workflow",
            "name",
            "kind",
            "enabled",
            "pattern",
            "schedule",
            "time_zone",
            "catch_up",
            "next_due",
            "signature",
            "signing_secret",
            "has_signing_secret",
            "last_fired_at",
            "last_error",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("next_due", "last_fired_at", "last_error", "created_at", "updated_at")
        extra_kwargs = helped(
            name=_("What people call it."),
            kind=_("What starts the workflow; it stays what it is."),
            enabled=_("Whether it starts anything."),
            pattern=_(
                "Of an event its type, or the beginning of types and a `*`; of a model its label, as `shop.Order`."
            ),
            schedule=_("Five fields, as cron has them: `0 9 * * MON-FRI`."),
            time_zone=_("Of the schedule, as the IANA database names it: `Europe/Berlin`."),
            catch_up=_("What becomes of times that passed while no scheduler ran."),
            next_due=_("When the schedule is due next; null: it is not, or it is no schedule."),
            signature=_("How a hook's sender proves who it is; of other kinds empty."),
            last_fired_at=_("When it last started a run; null: never."),
            last_error=_("Why it last started none though it might have; empty: it did."),
        )
        validators: list[Any] = []

    def get_has_signing_secret(self, trigger: Trigger) -> bool:
        """Whether there is one."""
        return bool(trigger.signing_secret)


class IssuedTriggerSerializer(TriggerSerializer):
    """A trigger with what is shown this once."""

    token = serializers.CharField(
        read_only=True, allow_null=True, help_text=_("The last part of a hook's address; null: none was made.")
    )
    signing_secret = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text=_("The signing secret that was made; null: none was. It cannot be shown again."),
    )

    class Meta(TriggerSerializer.Meta):
        fields = (*TriggerSerializer.Meta.fields, "token")
