"""`set`: values under names of their own."""

from django.utils.translation import gettext_lazy as _

from automate.steps.base import Step, register_step
from automate.steps.context import Turn
from automate.steps.outcomes import Done


@register_step
class SetStep(Step):
    """Give values names, for later steps to use: the output is `values`."""

    type = "set"
    label = _("Set values")
    schema = {
        "type": "object",
        "properties": {"values": {"type": "object", "description": "The values, by their names."}},
        "required": ["values"],
        "additionalProperties": False,
    }
    output_schema = {"type": "object"}

    def begin(self, turn: Turn) -> Done:
        return Done(turn.settings["values"])
