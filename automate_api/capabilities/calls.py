"""What the capabilities that call a model share."""

from typing import Any

from automate_api.engine.capability import RunContext
from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import NotConfigured
from automate_api.llm.prices import price_of
from automate_api.llm.types import LLMTarget, Retry, Usage


def target_of(ctx: RunContext) -> LLMTarget:
    """The model to call.

    Raises:
        NotConfigured: the endpoint has no LLM client.
    """
    if ctx.llm is None:
        raise NotConfigured
    return ctx.llm


def retry_event(retry: Retry) -> RunEvent:
    """The event that says another attempt follows."""
    data = {"attempt": retry.attempt, "after_seconds": retry.after_seconds, "code": retry.code}
    return RunEvent(EventType.RETRY, data)


def final_event(target: LLMTarget, output: dict[str, Any], usage: Usage | None) -> RunEvent:
    """The event that ends a run well; `cost` is a decimal string in US dollars, None where no price is known."""
    cost = price_of(target.provider, target.model, usage)
    data = {
        "output": output,
        "usage": usage.as_dict() if usage else None,
        "cost": None if cost is None else format(cost, "f"),
    }
    return RunEvent(EventType.FINAL, data)
