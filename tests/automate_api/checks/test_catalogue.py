"""A catalogue of models that cannot be understood is found."""

from typing import Any

import pytest
from pytest_django import Settings

from tests.checking import ids


@pytest.mark.parametrize(
    "catalogue",
    [
        None,
        {"m": "cheap"},
        {"m": {"input_price": "a lot"}},
        {"m": {"output_price": "-1"}},
        {"m": {"context_window": "big"}},
        {"m": {"capabilities": "llm.chat"}},
    ],
)
def test_what_cannot_be_understood_is_found(settings: Settings, catalogue: Any) -> None:
    settings.AUTOMATE_API_MODELS = catalogue
    assert ids() == {"automate_api.E007"}


def test_what_is_understood_is_no_mistake(settings: Settings) -> None:
    settings.AUTOMATE_API_MODELS = {"m": {"input_price": "0.15", "context_window": 128_000, "capabilities": []}}
    assert ids() == set()
