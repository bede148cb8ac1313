"""A task type without a model: the least that a job can do."""

from collections.abc import AsyncGenerator

from automate_api.engine.capability import Capability, RunContext, register
from automate_api.engine.events import EventType, RunEvent
from benchmarks.jobs.notes import note


@register
class NoteTime(Capability):
    """Notes when it began."""

    task_type = "bench.note"

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        """Note it, and be done."""
        note(ctx.input["key"])
        yield RunEvent(EventType.FINAL, {"output": {"noted": True}, "usage": {}, "cost": None})
