"""Rules on the wire."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from automate_api.v1.serializers.fields import ObjectField


class RuleRequestSerializer(serializers.Serializer[Any]):
    """A rule, and what it is asked about."""

    rule = serializers.CharField(trim_whitespace=False, help_text=_("An expression of the Common Expression Language."))
    context = ObjectField(  # type: ignore[assignment]  # a field of this name is no attribute of the class
        required=False, default=dict, help_text=_("What the rule sees, by its names, such as `event` and `steps`.")
    )


class RuleFaultSerializer(serializers.Serializer[Any]):
    """Why a rule gave nothing."""

    kind = serializers.CharField(help_text=_("What it is, for programs: `no_such_key`, `division_by_zero` and others."))
    message = serializers.CharField(help_text=_("What it is, for people."))
    line = serializers.IntegerField(min_value=1, help_text=_("Where in the rule; lines count from 1."))
    column = serializers.IntegerField(min_value=1, help_text=_("Where in the line; columns count from 1."))


class ExplanationSerializer(serializers.Serializer[Any]):
    """What a rule gave and why."""

    optional_in_answers = ("value", "error")

    value = serializers.JSONField(required=False, help_text=_("What the whole gave; absent where it failed."))
    error = RuleFaultSerializer(required=False, help_text=_("How the whole failed; absent where it gave a value."))
    reason = serializers.CharField(help_text=_("Why, in words, by the sub-expressions that decide it."))
    tree = ObjectField(
        help_text=_(
            "The whole as `{text, start, end, value or error, evaluated, children}`; each child is one of its "
            "sub-expressions, in the same form."
        )
    )
