"""A capability that says so many things, at once or one by one."""

import asyncio
from collections.abc import AsyncGenerator

from automate_api.engine.capability import Capability, RunContext, register
from automate_api.engine.events import EventType, RunEvent


@register
class Talk(Capability):
    """Yields `count` events; with `port`, each when a line has come from there."""

    task_type = "test.talk"

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        steps = None
        if ctx.input.get("port"):
            steps, _writer = await asyncio.open_connection("127.0.0.1", ctx.input["port"])
        for number in range(ctx.input["count"]):
            if steps is not None:
                await steps.readline()
            yield event(number, ctx.input["count"])
        yield RunEvent(EventType.FINAL, {"output": {"count": ctx.input["count"]}})


def event(number: int, count: int) -> RunEvent:
    """One that is easily broken: by line ends, by what looks like another field, by letters of several bytes."""
    if number % 3 == 0:
        return RunEvent(EventType.PROGRESS, {"done": number, "total": count})
    text = f"{number}\n\nid: 7\r\ndata: {'kůň 🦊' * (number % 5)}"
    return RunEvent(EventType.LOG, {"level": "info", "message": text})
