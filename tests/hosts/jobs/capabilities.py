"""Capabilities that take their time and leave traces."""

import asyncio
import fcntl
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from automate_api.engine.capability import Capability, RunContext, register
from automate_api.engine.events import EventType, RunEvent
from tests.hosts.jobs.models import Effect

FINAL = {"output": "done", "usage": None, "cost": None}


@register
class Steps(Capability):
    """Does `steps` steps that must be done once each, `pause` seconds apart."""

    task_type = "test.steps"

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        count, pause = ctx.input["steps"], ctx.input["pause"]
        with alone(ctx.run_id):
            for number in range(count):
                await ctx.once(f"step-{number}", lambda key=f"step-{number}": leave_trace(ctx.run_id, key))
                yield RunEvent(EventType.PROGRESS, {"done": number + 1, "total": count})
                await asyncio.sleep(pause)
        yield RunEvent(EventType.FINAL, FINAL)


@register
class Events(Capability):
    """Says `count` tokens, `pause` seconds apart."""

    task_type = "test.events"

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        for number in range(ctx.input["count"]):
            yield RunEvent(EventType.TOKEN, {"text": f"{number} "})
            await asyncio.sleep(ctx.input["pause"])
        yield RunEvent(EventType.FINAL, FINAL)


def leave_trace(run: UUID, key: str) -> Any:
    """A step's effect."""
    return Effect.objects.create(run=run, key=key).pk


@contextmanager
def alone(run: UUID) -> Iterator[None]:
    """Note it where the run is at work elsewhere too. A lock of the kernel's goes with the process that has it."""
    folder = Path(settings.FOLDER)
    with (folder / f"{run}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            (folder / f"{run}.overlap").touch()
        yield
