"""System checks find what is seeded."""

from typing import Any

import pytest
from django.core.checks import run_checks


def ids() -> set[str | None]:
    return {message.id for message in run_checks(tags=["automate_api"])}


def test_the_test_host_has_nothing_to_complain_about() -> None:
    assert ids() == set()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("AUTOMATE_API_ENCRYPTION_KEYS", [], "automate_api.E001"),
        ("AUTOMATE_API_ENCRYPTION_KEYS", ["short"], "automate_api.E001"),
        ("AUTOMATE_API_REDACT_PATTERNS", ["ok", "("], "automate_api.E002"),
        ("AUTOMATE_API_TENANT_RESOLVER", "nowhere.at_all", "automate_api.E003"),
        ("AUTOMATE_API_AUTHENTICATION_CLASSES", ["nowhere.Auth"], "automate_api.E003"),
        ("AUTOMATE_API_PRIVATE_HOSTS", ["http://not a host/"], "automate_api.E004"),
        ("AUTOMATE_API_MODELS", None, "automate_api.E007"),
        ("AUTOMATE_API_MODELS", {"m": "cheap"}, "automate_api.E007"),
        ("AUTOMATE_API_MODELS", {"m": {"input_price": "a lot"}}, "automate_api.E007"),
        ("AUTOMATE_API_MODELS", {"m": {"context_window": "big"}}, "automate_api.E007"),
        ("AUTOMATE_API_MODELS", {"m": {"capabilities": "llm.chat"}}, "automate_api.E007"),
    ],
)
def test_a_mistake_is_found(settings: Any, name: str, value: Any, expected: str) -> None:
    setattr(settings, name, value)
    assert expected in ids()


def test_missing_assets_of_the_schema_pages_are_a_warning(settings: Any) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "drf_spectacular_sidecar"]
    assert "automate_api.W005" in ids()
