"""What a call cost, from the host's price table."""

from decimal import Decimal, InvalidOperation

from automate_api.conf import settings
from automate_api.llm.types import Usage

_MILLION = Decimal(1_000_000)
_STEP = Decimal("0.00000001")


def price_of(provider: str, model: str, usage: Usage | None) -> Decimal | None:
    """US dollars of a call, to eight decimals; None where the usage or a price is unknown.

    `AUTOMATE_API_MODELS` is asked for `"<provider's slug>/<model>"`, then for `"<model>"`. Its prices are US dollars
    per million tokens; one that is missing, or no finite number of at least zero, is unknown. No tokens cost nothing.
    """
    known = settings.models.get(f"{provider}/{model}") or settings.models.get(model)
    if usage is None or not known:
        return None
    parts = [
        _part(usage.prompt_tokens, known.get("input_price")),
        _part(usage.completion_tokens, known.get("output_price")),
    ]
    return None if None in parts else sum((part for part in parts if part is not None), Decimal(0)).quantize(_STEP)


def _part(tokens: int, price: object) -> Decimal | None:
    if not tokens:
        return Decimal(0)
    try:
        dollars = Decimal(str(price))
    except InvalidOperation:
        return None
    return dollars * tokens / _MILLION if dollars.is_finite() and dollars >= 0 else None
