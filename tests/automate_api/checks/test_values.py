"""Settings that cannot be used are found."""

from typing import Any

import pytest
from pytest_django import Settings

from tests.checking import found, ids


def test_the_test_host_has_nothing_to_complain_about() -> None:
    assert ids() == set()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ENCRYPTION_KEYS", [], "automate_api.E001"),
        ("ENCRYPTION_KEYS", ["short"], "automate_api.E001"),
        ("REDACT_PATTERNS", ["ok", "("], "automate_api.E002"),
        ("TENANT_RESOLVER", "nowhere.at_all", "automate_api.E003"),
        ("TENANT_MEMBERS", "automate_api.tenancy.MAX_LENGTH", "automate_api.E003"),
        ("AUTHENTICATION_CLASSES", ["nowhere.Auth"], "automate_api.E003"),
        ("AUTHENTICATION_CLASSES", [int], "automate_api.E003"),
        ("REDACTOR", "nowhere.redact", "automate_api.E003"),
        ("REDACTOR", "", "automate_api.E003"),
        ("REDACTOR", "automate_api.tenancy.MAX_LENGTH", "automate_api.E003"),
        ("RATE_LIMIT", "often", "automate_api.E017"),
        ("RATE_LIMIT", "0/hour", "automate_api.E017"),
        ("RATE_LIMIT", 100, "automate_api.E017"),
        ("PROXY_COUNT", -1, "automate_api.E018"),
        ("PROXY_COUNT", 1.5, "automate_api.E018"),
        ("PROXY_COUNT", True, "automate_api.E018"),
        ("PROXY_COUNT", None, "automate_api.E018"),
        ("IDEMPOTENCY_RETENTION", 86_399, "automate_api.E018"),
        ("MAX_REQUEST_BYTES", 0, "automate_api.E018"),
        ("RUN_TIMEOUT", 0, "automate_api.E018"),
        ("RUN_TIMEOUT", "ten minutes", "automate_api.E018"),
        ("IDLE_TIMEOUT", float("inf"), "automate_api.E018"),
        ("LEASE", 0, "automate_api.E018"),
        ("HEARTBEAT", "often", "automate_api.E018"),
        ("JOB_ATTEMPTS", 0, "automate_api.E018"),
        ("JOB_BACKOFF", -1, "automate_api.E018"),
        ("JOB_JITTER", -1, "automate_api.E018"),
        ("JOB_TIMEOUT", None, "automate_api.E018"),
        ("JOB_RETENTION", 0, "automate_api.E018"),
        ("JOB_EVENT_RETENTION", "a week", "automate_api.E018"),
        ("KEY_LAST_USED_EVERY", 0, "automate_api.E018"),
        ("KEY_OVERLAP", -1, "automate_api.E034"),
        ("KEY_OVERLAP", "a day", "automate_api.E034"),
        ("KEY_OVERLAP", None, "automate_api.E034"),
        ("KEY_OVERLAP", 604_801, "automate_api.E034"),
        ("CACHE", "nowhere", "automate_api.E033"),
        ("CACHE", 5, "automate_api.E033"),
        ("ENCRYPTION_KEYS", "one,two", "automate_api.E019"),
        ("PRIVATE_HOSTS", "localhost", "automate_api.E019"),
        ("REDACT_PATTERNS", "sk-.*", "automate_api.E019"),
        ("AUTHENTICATION_CLASSES", None, "automate_api.E019"),
        ("SIGNING_KEYS", "x" * 40, "automate_api.E019"),
        ("SIGNING_KEYS", ["x" * 31], "automate_api.E040"),
        ("SIGNING_KEYS", ["x" * 40, b"y" * 40], "automate_api.E040"),
        ("SIGNING_KEYS", ["x" * 40, "x" * 40], "automate_api.E040"),
        ("SIGNING_KEYS", [], "automate_api.W039"),
        ("SIGNING_KEYS", ["short"], "automate_api.W039"),
        ("MAINTENANCE", 60, "automate_api.E041"),
        ("MAINTENANCE", "off", "automate_api.E041"),
        ("MAINTENANCE_RETRY_AFTER", 0, "automate_api.E018"),
    ],
)
def test_a_mistake_is_found(settings: Settings, name: str, value: Any, expected: str) -> None:
    setattr(settings, f"AUTOMATE_API_{name}", value)
    assert expected in ids()
    assert all(message.hint for message in found())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RATE_LIMIT", None),
        ("RATE_LIMIT", "5/30s"),
        ("PROXY_COUNT", 2),
        ("PROXY_COUNT", "2"),
        ("IDEMPOTENCY_RETENTION", 86_400),
        ("RUN_TIMEOUT", 0.5),
        ("JOB_JITTER", 0),
        ("JOB_RETENTION", None),
        ("JOB_RETENTION", 86_400),
        ("JOB_EVENT_RETENTION", None),
        ("KEY_OVERLAP", 604_800),
        ("KEY_LAST_USED_EVERY", 0.5),
        ("CACHE", None),
        ("PRIVATE_HOSTS", ("localhost",)),
        ("REDACT_PATTERNS", {"sk-.*"}),
        ("SIGNING_KEYS", ("x" * 40, "y" * 40)),
        ("MAINTENANCE", True),
    ],
)
def test_what_can_be_used_is_no_mistake(settings: Settings, name: str, value: Any) -> None:
    setattr(settings, f"AUTOMATE_API_{name}", value)
    assert ids() == set()


def test_no_signing_key_is_told_and_none_is_missed_where_the_routes_are_not_mounted(settings: Settings) -> None:
    settings.AUTOMATE_API_SIGNING_KEYS = ["a-secret-that-is-short"]
    assert "a-secret" not in str([(message.msg, message.hint) for message in found()])
    settings.ROOT_URLCONF, settings.AUTOMATE_API_SIGNING_KEYS = "tests.hosts.guarded.urls", []
    assert "automate_api.W039" not in ids()
