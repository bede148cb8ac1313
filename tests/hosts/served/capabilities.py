"""A capability that fails in the worst way: with the provider's key in its exception and in its log message."""

import logging
from collections.abc import AsyncGenerator

from automate_api.engine.capability import Capability, RunContext, register
from automate_api.engine.events import EventType, RunEvent


@register
class Careless(Capability):
    """Raises the key it was given."""

    task_type = "test.careless"
    needs_llm_client = True

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        key = ctx.llm.api_key if ctx.llm else ""
        yield RunEvent(EventType.TOKEN, {"text": f"my key is {key[:9]}"})
        yield RunEvent(EventType.TOKEN, {"text": key[9:]})
        logging.getLogger(__name__).info("about to fail")
        try:
            raise ValueError(f"Authorization: Bearer {key}")
        except ValueError as exc:
            raise RuntimeError(f"could not call with {key!r}") from exc
