"""Which models a caller can reach, and what a model's name in the OpenAI protocol stands for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from automate_api.engine.capability import get_capability
from automate_api.exceptions import ModelNotFound, NotFound
from automate_api.llm.prices import known_of
from automate_api.models import Actor, LLMClient, Provider
from automate_api.models.prepared import PreparedSelect
from automate_api.services.llm_clients import find_llm_client_by_slug

#: The longest name of a model at a provider.
LONGEST_MODEL = 200

_providers = PreparedSelect(Provider, by=("tenant_id", "slug"))


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


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model as the OpenAI protocol lists it: an LLM client's slug, or a provider's and the model's name there.

    `provider` is the provider's slug, `created_at` when the LLM client, or the provider, was made.
    """

    name: str
    provider: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderModel:
    """A model at a provider, whether or not that has it."""

    provider: Provider
    model: str


def served_models(*, actor: Actor) -> list[ServedModel]:
    """The LLM clients that the actor may read, and the models of `reachable_models`, sorted by name. Two queries."""
    providers = Provider.objects.readable_by(actor).filter(enabled=True).exclude(default_model="")
    clients = LLMClient.objects.readable_by(actor).filter(provider__enabled=True)
    pairs = list(providers.values_list("slug", "default_model", "created_at"))
    found: list[ServedModel] = []
    columns = ("slug", "created_at", "provider__slug", "model", "provider__created_at")
    for slug, created_at, provider, model, since in clients.values_list(*columns):
        found.append(ServedModel(slug, provider, created_at))
        pairs += [(provider, model, since)] if model else []
    found += [ServedModel(f"{provider}/{model}", provider, since) for provider, model, since in {*pairs}]
    return sorted(found, key=lambda model: model.name)


def find_served(name: str, *, actor: Actor) -> ServedModel:
    """The one of `served_models` with this name. Two queries at most, mostly.

    Raises:
        ModelNotFound: there is none.
    """
    found = find_model(name, actor=actor)
    if isinstance(found, LLMClient):
        return ServedModel(name, found.provider.slug, found.created_at)
    provider = found.provider
    named = LLMClient.objects.readable_by(actor).filter(provider=provider, model=found.model)
    if found.model != provider.default_model and not named.exists():
        raise ModelNotFound
    return ServedModel(name, provider.slug, provider.created_at)


def find_model(name: str, *, actor: Actor) -> LLMClient | ProviderModel:
    """What `name` stands for: an LLM client by its slug, or `provider/model`, of which the rest may have slashes.

    An LLM client has its provider read along. One query, mostly.

    Raises:
        ModelNotFound: there is none that the actor may read, or its provider is switched off.
    """
    slug, slash, model = name.partition("/")
    if slash:
        provider = _providers.get(actor.tenant_id, slug) if _is_name(slug) else None
        if provider is None or not provider.enabled or not 0 < len(model) <= LONGEST_MODEL:
            raise ModelNotFound
        return ProviderModel(provider, model)
    try:
        client = find_llm_client_by_slug(slug, actor=actor)
    except NotFound as exc:
        raise ModelNotFound from exc
    if not client.provider.enabled:
        raise ModelNotFound
    return client


def _is_name(slug: str) -> bool:
    return slug.isascii() and len(slug) <= 64


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
