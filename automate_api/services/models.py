"""Which models a caller can reach."""

from dataclasses import dataclass
from typing import Any

from automate_api.engine.capability import get_capability
from automate_api.llm.prices import known_of
from automate_api.models import Actor, LLMClient, Provider


@dataclass(frozen=True, slots=True)
class ReachableModel:
    """One model at one provider, with what the host's `AUTOMATE_API_MODELS` knows of it."""

    name: str
    provider: str
    params_schema: dict[str, Any]
    context_window: int | None
    prices: dict[str, str] | None
    capabilities: list[str]


def reachable_models(*, actor: Actor) -> list[ReachableModel]:
    """Every model that an enabled provider or a readable LLM client of the actor names, sorted. Two queries."""
    providers = Provider.objects.readable_by(actor).filter(enabled=True).exclude(default_model="")
    clients = LLMClient.objects.readable_by(actor).filter(provider__enabled=True).exclude(model="")
    pairs = {*providers.values_list("slug", "default_model"), *clients.values_list("provider__slug", "model")}
    return [_described(provider, model) for provider, model in sorted(pairs)]


def _described(provider: str, model: str) -> ReachableModel:
    known = known_of(provider, model)
    window, capabilities = known.get("context_window"), known.get("capabilities")
    chat = get_capability("llm.chat")
    prices = {name: str(known[name]) for name in ("input_price", "output_price") if name in known}
    return ReachableModel(
        name=model,
        provider=provider,
        params_schema=chat.params_schema if chat else {},
        context_window=window if type(window) is int else None,
        prices=prices or None,
        capabilities=[str(name) for name in capabilities] if isinstance(capabilities, list | tuple) else ["llm.chat"],
    )
