"""What the host knows of models can be understood."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.checks import CheckMessage, Error, register

from automate_api.checks.reading import TAG
from automate_api.conf import settings


@register(TAG)
def check_models(**kwargs: Any) -> list[CheckMessage]:
    """E007: `AUTOMATE_API_MODELS` says something of a model that cannot be understood, and that is ignored."""
    models: Any = settings.models
    if not isinstance(models, Mapping):
        return [_misunderstood(" is not a mapping")]
    return [
        _misunderstood(f"[{name!r}] {problem}") for name, known in models.items() for problem in _model_problems(known)
    ]


def _model_problems(known: Any) -> Iterator[str]:
    if not isinstance(known, Mapping):
        yield "is not a mapping"
        return
    for name in ("input_price", "output_price"):
        if name in known and not _is_price(known[name]):
            yield f"has an {name} that is no number of at least zero"
    if not isinstance(known.get("context_window"), int | None):
        yield "has a context_window that is no whole number"
    if not isinstance(known.get("capabilities", ()), list | tuple):
        yield "has capabilities that are no list"


def _is_price(value: Any) -> bool:
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        return False
    return price.is_finite() and price >= 0


def _misunderstood(problem: str) -> CheckMessage:
    hint = "Write {'model': {'input_price': '0.15', 'output_price': '0.60', 'context_window': 128000}}."
    return Error(f"AUTOMATE_API_MODELS{problem}.", hint=hint, id="automate_api.E007")
