"""`for_each`: the same steps for each item of a list."""

from django.utils.translation import gettext_lazy as _

from automate.rules import Type
from automate.steps.base import Step, register_step
from automate.steps.context import Turn
from automate.steps.outcomes import Done, Repeat
from automate_api.exceptions import FieldError, InvalidInput

#: How many items there may be at most, and how many of them at once unless said.
MOST_ITEMS, PARALLEL = 1000, 10


@register_step
class ForEachStep(Step):
    """Run `steps` for each of `items`. The output is the list of what `output` gives for each, in their order."""

    type = "for_each"
    label = _("For each")
    schema = {
        "type": "object",
        "properties": {
            "items": {"type": "array", "description": "What the steps run for; each is their `item`."},
            "steps": {"type": "array", "minItems": 1, "description": "The steps, as those of a definition."},
            "output": {"description": "What an item gives, seen by the steps' names; null unless given."},
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_ITEMS,
                "default": MOST_ITEMS,
                "description": "More items than this are an error.",
            },
            "parallel": {
                "type": "integer",
                "minimum": 1,
                "maximum": 50,
                "default": PARALLEL,
                "description": "For how many items the steps run at once.",
            },
        },
        "required": ["items", "steps"],
        "additionalProperties": False,
    }
    output_schema = {"type": "array"}
    literal_fields = ("steps",)
    body_fields = ("steps",)
    body_values = ("output",)
    body_names = {"item": Type.DYN, "index": Type.INT}

    def begin(self, turn: Turn) -> Done | Repeat:
        items = turn.settings["items"]
        if len(items) > turn.settings.get("limit", MOST_ITEMS):
            raise InvalidInput([FieldError("items", "too_many", str(_("There are more items than the limit.")))])
        return Repeat(items, turn.settings.get("parallel", PARALLEL)) if items else Done([])
