"""`endpoint`: whatever an endpoint does, and so whatever is registered as a task type."""

from django.utils.translation import gettext_lazy as _

from automate.steps.base import Step, register_step
from automate.steps.context import Turn
from automate.steps.outcomes import Execute
from automate_api.services.endpoints import find_runnable
from automate_api.services.runs import prepare_execution


@register_step
class EndpointStep(Step):
    """Run an endpoint that the workflow's owner may run. The output is that of the execution."""

    type = "endpoint"
    label = _("Run an endpoint")
    schema = {
        "type": "object",
        "properties": {
            "endpoint": {"type": "string", "minLength": 1, "maxLength": 64, "description": "Its slug."},
            "input": {"description": "What the endpoint takes."},
            "params": {"type": "object", "description": "Parameters of the task type."},
            "task_type": {
                "type": "string",
                "maxLength": 64,
                "description": "One of its own; else its first.",
            },
        },
        "required": ["endpoint", "input"],
        "additionalProperties": False,
    }
    # Which endpoint is never a caller's choice.
    literal_fields = ("endpoint", "task_type")

    def begin(self, turn: Turn) -> Execute:
        endpoint = find_runnable(turn.settings["endpoint"], actor=turn.actor)
        execution = prepare_execution(
            endpoint,
            actor=turn.actor,
            correlation_id=turn.correlation_id,
            input=turn.settings["input"],
            params=turn.settings.get("params"),
            task_type=turn.settings.get("task_type"),
        )
        return Execute(execution)
