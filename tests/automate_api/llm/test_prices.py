"""What a call costs."""

from decimal import Decimal
from typing import Any

import pytest

from automate_api.llm.prices import price_of
from automate_api.llm.types import Usage

USAGE = Usage(prompt_tokens=1000, completion_tokens=500, total_tokens=1500)


@pytest.fixture(autouse=True)
def _models(settings: Any) -> None:
    settings.AUTOMATE_API_MODELS = {
        "small": {"input_price": "0.15", "output_price": "0.60"},
        "acme/small": {"input_price": "1", "output_price": "2"},
        "free": {"input_price": "0", "output_price": 0},
        "embed": {"input_price": "0.02"},
        "unpriced": {"context_window": 8192},
        "odd": {"input_price": "a lot", "output_price": "1"},
        "negative": {"input_price": "-1", "output_price": "1"},
        "infinite": {"input_price": "Infinity", "output_price": "1"},
        "nan": {"input_price": "NaN", "output_price": "1"},
        "absurd": {"input_price": "1e30", "output_price": "1"},
        "broken": "cheap",
        "tiny": {"input_price": "0.00001", "output_price": "0"},
    }


def test_a_price_is_for_a_million_tokens() -> None:
    assert price_of("other", "small", USAGE) == Decimal("0.00045000")


def test_a_provider_of_its_own_price_comes_first() -> None:
    assert price_of("acme", "small", USAGE) == Decimal("0.00200000")


def test_a_price_has_eight_decimals() -> None:
    cost = price_of("other", "tiny", USAGE)
    assert str(cost) == "1E-8"
    assert format(cost, "f") == "0.00000001"


def test_nothing_is_not_unknown() -> None:
    assert price_of("other", "free", USAGE) == 0
    assert price_of("other", "small", Usage(0, 0, 0)) == 0


def test_embeddings_need_no_output_price() -> None:
    assert price_of("other", "embed", Usage(1_000_000, 0, 1_000_000)) == Decimal("0.02")
    assert price_of("other", "embed", USAGE) is None


@pytest.mark.parametrize("model", ["unheard-of", "unpriced", "odd", "negative", "infinite", "nan", "absurd", "broken"])
def test_an_unknown_price_is_none_and_not_zero(model: str) -> None:
    assert price_of("other", model, USAGE) is None


def test_without_usage_there_is_no_price() -> None:
    assert price_of("other", "small", None) is None


@pytest.mark.parametrize("models", [None, "cheap", ["small"]])
def test_a_table_that_is_none_knows_nothing(settings: Any, models: Any) -> None:
    settings.AUTOMATE_API_MODELS = models
    assert price_of("other", "small", USAGE) is None
