"""What holds on one machine only is found before it is deployed."""

from pathlib import Path
from typing import Any

import pytest
from corsheaders.middleware import CorsMiddleware
from django.db import ConnectionHandler
from pytest_django import Settings

from automate_api.checks import deployment
from tests.checking import found, ids

BACKENDS = "django.core.cache.backends"


class OwnCorsMiddleware(CorsMiddleware):
    """A host's."""


def count_in(settings: Settings, backend: str, location: Any = "") -> None:
    """Have limits counted in a cache of that kind."""
    settings.CACHES = {
        "default": {"BACKEND": f"{BACKENDS}.redis.RedisCache", "LOCATION": "redis://127.0.0.1:6379/15"},
        "counters": {"BACKEND": f"{BACKENDS}.{backend}", "LOCATION": location},
    }
    settings.RATELIMIT_USE_CACHE = "counters"


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache", "db.DatabaseCache"])
def test_counters_that_processes_do_not_share_are_a_warning(settings: Settings, backend: str) -> None:
    count_in(settings, backend)
    assert "automate_api.W009" in ids(deploy=True)
    assert ids() == set()


def test_counters_in_files_are_a_warning(settings: Settings, tmp_path: Path) -> None:
    count_in(settings, "filebased.FileBasedCache", tmp_path)
    assert "automate_api.W009" in ids(deploy=True)


def test_a_limiter_counts_in_the_default_cache_unless_told(settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{BACKENDS}.locmem.LocMemCache"}}
    assert "automate_api.W009" in ids(deploy=True)


def test_a_redis_is_none(settings: Settings) -> None:
    count_in(settings, "redis.RedisCache", "redis://127.0.0.1:6379/15")
    assert "automate_api.W009" not in ids(deploy=True)


def test_a_cache_that_is_not_there_is_found(settings: Settings) -> None:
    settings.RATELIMIT_USE_CACHE = "elsewhere"
    assert ids() == {"automate_api.E010"}
    assert "automate_api.W009" not in ids(deploy=True)


def test_a_cache_that_cannot_be_made_keeps_no_keys(settings: Settings) -> None:
    count_in(settings, "locmem.Renamed")
    settings.RATELIMIT_USE_CACHE, settings.AUTOMATE_API_CACHE = "default", "counters"
    assert ids() == {"automate_api.E033"}


def test_a_cache_that_cannot_be_made_is_found(settings: Settings) -> None:
    count_in(settings, "locmem.Renamed")
    assert ids() == {"automate_api.E010"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("RATELIMIT_FAIL_OPEN", True, "automate_api.W020"), ("RATELIMIT_ENABLE", False, "automate_api.W021")],
)
def test_limits_that_do_not_hold_are_a_warning(settings: Settings, name: str, value: bool, expected: str) -> None:
    assert expected not in ids(deploy=True)
    setattr(settings, name, value)
    assert expected in ids(deploy=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https")), ("USE_X_FORWARDED_HOST", True)],
)
def test_a_proxy_that_is_not_counted_is_a_warning(settings: Settings, name: str, value: Any) -> None:
    assert "automate_api.W024" not in ids(deploy=True)
    setattr(settings, name, value)
    assert "automate_api.W024" in ids(deploy=True)
    settings.AUTOMATE_API_PROXY_COUNT = 1
    assert "automate_api.W024" not in ids(deploy=True)


@pytest.mark.parametrize("middleware", ["corsheaders.middleware.CorsMiddleware", f"{__name__}.OwnCorsMiddleware"])
def test_every_origin_trusted_with_sessions_is_an_error(settings: Settings, middleware: str) -> None:
    settings.MIDDLEWARE = [middleware]
    settings.CORS_ALLOW_ALL_ORIGINS = settings.CORS_ALLOW_CREDENTIALS = True
    assert "automate_api.E015" in ids(deploy=True)


@pytest.mark.parametrize(
    ("middleware", "everybody", "credentials"),
    [
        ("corsheaders.middleware.CorsMiddleware", True, False),
        ("corsheaders.middleware.CorsMiddleware", False, True),
        ("django.middleware.common.CommonMiddleware", True, True),
        ("nowhere.Middleware", True, True),
    ],
)
def test_either_alone_is_none(settings: Settings, middleware: str, everybody: bool, credentials: bool) -> None:
    settings.MIDDLEWARE = [middleware]
    settings.CORS_ALLOW_ALL_ORIGINS, settings.CORS_ALLOW_CREDENTIALS = everybody, credentials
    assert "automate_api.E015" not in ids(deploy=True)


def on_database(monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "x", **options}})
    monkeypatch.setattr(deployment, "connections", handler)


def test_a_connection_for_each_request_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    on_database(monkeypatch)
    [message] = [message for message in found(deploy=True) if message.id == "automate_api.W022"]
    assert "CONN_MAX_AGE" in (message.hint or "")


@pytest.mark.parametrize(
    "options",
    [
        {"CONN_MAX_AGE": 60},
        {"CONN_MAX_AGE": None},
        {"OPTIONS": {"pool": True}},
        {"ENGINE": "django.db.backends.sqlite3"},
    ],
)
def test_a_kept_connection_is_none(monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
    on_database(monkeypatch, **options)
    assert "automate_api.W022" not in ids(deploy=True)
