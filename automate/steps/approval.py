"""`approval`: somebody says yes or no."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from automate.steps.base import Step, register_step
from automate.steps.context import Turn
from automate.steps.outcomes import Wait
from automate.steps.wait import LONGEST
from automate_api.exceptions import RunTimeout


@register_step
class ApprovalStep(Step):
    """Wait until tenant staff approves. Rejected, or not decided in time, it has failed.

    The output is `{approved: true, by, comment}`, where `by` is the name of who approved.
    """

    type = "approval"
    label = _("Approval")
    schema = {
        "type": "object",
        "properties": {
            "message": {"type": "string", "maxLength": 4000, "description": "What is to be decided."},
            "timeout": {
                "type": "number",
                "minimum": 1,
                "maximum": LONGEST,
                "description": "Seconds after which it has failed.",
            },
        },
        "additionalProperties": False,
    }
    is_decided = True
    output_schema = {
        "type": "object",
        "properties": {"approved": {"const": True}, "by": {"type": "string"}, "comment": {"type": "string"}},
        "required": ["approved", "by", "comment"],
        "additionalProperties": False,
    }

    def begin(self, turn: Turn) -> Wait:
        timeout = turn.settings.get("timeout", LONGEST)
        return Wait(until=timezone.now() + timedelta(seconds=timeout))

    def expire(self) -> None:
        raise RunTimeout(_("Nobody has decided in time."))
