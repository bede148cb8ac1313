"""The least that a handler and a step can do."""

from typing import Any

from automate.steps import Step, StepContext, register_step
from automate_api.events import on_event
from automate_api.models import Event

#: The types of events: one for the handler, and one for each workflow.
HANDLED, PURE, WORKING = "bench.handled", "bench.pure", "bench.working"


@on_event(HANDLED)
def handle(event: Event) -> None:
    """Do nothing."""


@register_step
class Nothing(Step):
    """Does nothing, in a job of its own."""

    type = "bench.nothing"

    async def run(self, ctx: StepContext) -> Any:
        """Nothing."""
        return None
