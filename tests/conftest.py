"""What every test may use: services that join the run when they answer.

Tests marked `postgres` run only where the default database is PostgreSQL (`AUTOMATE_TEST_DATABASE_URL`); tests that
take `postgres_url` get a new empty database of their own on any run. Tests marked `redis`, or that take `redis_cache`,
need a Redis. A service that does not answer skips its tests and says so; with `AUTOMATE_TEST_REQUIRE_SERVICES=1` it
fails them.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.cache import cache
from django.utils.module_loading import import_string
from pytest_django import Settings

from tests.services import POSTGRES_URL, REDIS_URL, obstacle
from tests.upstream import model_server, upstream  # noqa: F401 - fixtures

REQUIRED = os.environ.get("AUTOMATE_TEST_REQUIRE_SERVICES") == "1"


def require(url: str) -> None:
    """Skip the test where the service does not answer, or fail it where services are required."""
    reason = obstacle(url)
    if reason and REQUIRED:
        pytest.fail(reason, pytrace=False)
    if reason:
        pytest.skip(reason)


def on_postgres() -> bool:
    """Whether this run's default database is PostgreSQL."""
    return urlsplit(os.environ.get("AUTOMATE_TEST_DATABASE_URL", "")).scheme in {"postgres", "postgresql"}


#: Whoever takes one of these uses the default database.
_DATABASE = {"db", "transactional_db", "django_db_setup", "django_db_reset_sequences", "live_server"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the users of a service's fixture and of the database; leave `postgres` tests to the run that has PostgreSQL.

    And leave those that need npm to whoever asks for them: nothing is fetched from there by surprise.
    """
    elsewhere = pytest.mark.skip(reason="runs on PostgreSQL: `make test` does that second")
    not_asked_for = pytest.mark.skip(reason="takes tools from npm and PyPI: `make clients` does")
    for item in items:
        if item.get_closest_marker("clients") and "clients" not in config.option.markexpr:
            item.add_marker(not_asked_for)
        fixtures = set(getattr(item, "fixturenames", ()))
        if "redis_cache" in fixtures:
            item.add_marker("redis")
        if fixtures & _DATABASE or any(item.get_closest_marker(name) for name in ("django_db", "postgres")):
            item.add_marker("database")
        if item.get_closest_marker("postgres") and not on_postgres():
            item.add_marker(elsewhere)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip or fail `redis` tests without a Redis."""
    if item.get_closest_marker("redis"):
        require(REDIS_URL)


def redis_caches() -> dict[str, dict[str, str]]:
    """`CACHES` on Redis, under a key prefix nobody else has."""
    return {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": f"automate-test-{uuid.uuid4().hex}",
        },
    }


@pytest.fixture(autouse=True)
def _own_cache(settings: Settings) -> Iterator[None]:
    """No test sees another's cache. On Redis by prefix: clearing would empty every process's."""
    # This module is imported before Django is ready.
    import_string("automate_api.services.kept.forget_here")()
    if os.environ.get("AUTOMATE_TEST_REDIS_URL"):
        settings.CACHES = redis_caches()
        yield
    else:
        yield
        if settings.CACHES["default"]["BACKEND"].endswith("LocMemCache"):
            cache.clear()


@pytest.fixture(autouse=True)
def _own_files(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees another's files; a folder is made where the first is stored."""
    if os.environ.get("AUTOMATE_TEST_MEDIA_ROOT"):
        yield
        return
    # A test may set another one, such as the folder it runs in: only what was made here is deleted.
    folder = tmp_path_factory.getbasetemp() / f"media-{uuid.uuid4().hex}"
    settings.MEDIA_ROOT = str(folder)
    yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_cache(settings: Settings) -> str:
    """The default cache on Redis. Its URL is returned."""
    settings.CACHES = redis_caches()
    return REDIS_URL


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The URL of a new PostgreSQL database, dropped after the test."""
    require(POSTGRES_URL)
    name = f"automate_test_{uuid.uuid4().hex}"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(POSTGRES_URL)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
