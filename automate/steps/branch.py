"""`branch`: one way among several."""

from django.utils.translation import gettext_lazy as _

from automate.graph.schema import NAME_PATTERN
from automate.graph.step_types import RuleField
from automate.rules import compile_rule
from automate.steps.base import Step, register_step
from automate.steps.context import Turn
from automate.steps.outcomes import Done

_NAME = {"type": "string", "pattern": NAME_PATTERN}


@register_step
class BranchStep(Step):
    """Go where the first case leads whose rule is true; else to `otherwise`, or nowhere. The output is the target."""

    type = "branch"
    label = _("Branch")
    schema = {
        "type": "object",
        "properties": {
            "cases": {
                "type": "array",
                "minItems": 1,
                "maxItems": 50,
                "items": {
                    "type": "object",
                    "properties": {
                        "when": {"type": "string", "description": "A rule that is true or false."},
                        "next": {**_NAME, "description": "Where it leads if the rule is true."},
                    },
                    "required": ["when", "next"],
                    "additionalProperties": False,
                },
            },
            "otherwise": {**_NAME, "description": "Where it leads if no rule is true."},
        },
        "required": ["cases"],
        "additionalProperties": False,
    }
    output_schema = {"type": ["string", "null"]}
    literal_fields = ("cases", "otherwise")
    rule_fields = (RuleField("cases.*.when"),)
    target_fields = ("cases.*.next", "otherwise")

    def begin(self, turn: Turn) -> Done:
        for case in turn.settings["cases"]:
            if compile_rule(case["when"]).is_true(turn.scope):
                return Done(case["next"], taken=[case["next"]])
        otherwise = turn.settings.get("otherwise")
        return Done(otherwise, taken=[otherwise] if otherwise else [])
