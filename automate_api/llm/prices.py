"""What the host knows of a model, and from its price table what a call cost."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from automate_api.conf import settings
from automate_api.llm.types import Usage

_MILLION = Decimal(1_000_000)
_STEP = Decimal("0.00000001")
# What a stored cost can hold. A price that leads beyond it is a mistake.
_LIMIT = Decimal(10) ** 8


def known_of(provider: str, model: str) -> Mapping[str, Any]:
    """What `AUTOMATE_API_MODELS` has under `"<provider's slug>/<model>"`, else under `"<model>"`; nothing, if neither.

    An entry that is not a mapping is none: the system check names it.
    """
    models: Any = settings.models
    if not isinstance(models, Mapping):
        return {}
    found = models.get(f"{provider}/{model}") or models.get(model)
    return found if isinstance(found, Mapping) else {}


def price_of(provider: str, model: str, usage: Usage | None) -> Decimal | None:
    """US dollars of a call, to eight decimals; None where the usage or a price is unknown.

    `AUTOMATE_API_MODELS` is asked (`known_of`). Its prices are US dollars per million tokens; one that is missing, or
    no finite number of at least zero, or that makes the cost absurd, is unknown. No tokens cost nothing.
    """
    known = known_of(provider, model)
    if usage is None or not known:
        return None
    parts = [
        _part(usage.prompt_tokens, known.get("input_price")),
        _part(usage.completion_tokens, known.get("output_price")),
    ]
    cost = sum((part for part in parts if part is not None), Decimal(0))
    return None if None in parts or cost >= _LIMIT else cost.quantize(_STEP)


def _part(tokens: int, price: object) -> Decimal | None:
    if not tokens:
        return Decimal(0)
    try:
        dollars = Decimal(str(price))
    except InvalidOperation:
        return None
    return dollars * tokens / _MILLION if dollars.is_finite() and dollars >= 0 else None
