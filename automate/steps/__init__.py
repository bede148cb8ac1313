"""What workflows can do: the types of steps."""

from automate.steps import approval, branch, emit, endpoint, for_each, http, values, wait
from automate.steps.base import Step, get_step_type, register_step, step_types
from automate.steps.context import StepContext, Turn
from automate.steps.outcomes import Done, Execute, Outcome, Repeat, Wait, Work

__all__ = [
    "Done",
    "Execute",
    "Outcome",
    "Repeat",
    "Step",
    "StepContext",
    "Turn",
    "Wait",
    "Work",
    "approval",
    "branch",
    "emit",
    "endpoint",
    "for_each",
    "get_step_type",
    "http",
    "register_step",
    "step_types",
    "values",
    "wait",
]
