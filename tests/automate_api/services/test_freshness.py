"""What was cached is used while it is what the database would answer, whoever writes at once and whoever is killed."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as settings_of_django
from django.core.cache import caches
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from automate_api.exceptions import CacheUnavailable
from automate_api.models import ChangeCounter, Provider
from automate_api.services import version_stores
from automate_api.services.freshness import Change, changing, shared_cache, versions
from tests.automate_api.services.together import together
from tests.factories import make_provider
from tests.services import REDIS_URL

pytestmark = pytest.mark.django_db(transaction=True)

A, B = "tenant:acme", "tenant:other"
STORES = ("redis", "unscripted", "database")


@pytest.fixture(
    params=[
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("unscripted", marks=pytest.mark.redis),
        "database",
    ]
)
def store(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Each place that versions can be in."""
    if request.param != "database":
        request.getfixturevalue("redis_cache")
    if request.param == "unscripted":
        caches_now = {"default": settings.CACHES["default"] | {"BACKEND": "tests.unscripted.UnscriptedCache"}}
        settings.CACHES = caches_now
    if request.param == "database":
        settings.AUTOMATE_API_CACHE = None
    return str(request.param)


def told(*scopes: str) -> dict[str, str]:
    """Versions, which must be told."""
    found = versions(*scopes)
    assert found is not None
    return dict(found)


def forget_marks() -> None:
    """Let time pass until every mark has expired."""
    with redis.Redis.from_url(REDIS_URL) as client:
        for key in kept():
            if client.type(key) != b"hash":
                client.delete(key)
                continue
            for field in client.hkeys(key):
                if field != b"version":
                    client.hset(key, field, 1)


def flush() -> None:
    """Lose all that is cached; only this test's, since others use the same Redis."""
    with redis.Redis.from_url(REDIS_URL) as client:
        for key in kept():
            client.delete(key)


def kept() -> list[bytes]:
    """The keys of this test."""
    with redis.Redis.from_url(REDIS_URL) as client:
        return list(client.scan_iter(f"*{settings_of_django.CACHES['default']['KEY_PREFIX']}*"))


def test_a_version_stays_until_something_changes(store: str) -> None:
    before = told(A, B)
    assert told(A, B) == before
    with transaction.atomic():
        changing(A)
    if store == "unscripted":
        assert versions(A) is None
        forget_marks()
    after = told(A, B)
    assert after[A] != before[A]
    assert (after[B] == before[B]) or store == "unscripted"


def test_nothing_is_told_inside_a_transaction(store: str) -> None:
    told(A)
    with transaction.atomic():
        assert versions(A) is None


def test_a_change_is_announced_inside_a_transaction_only(store: str) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        changing(A)


def in_a_thread(call: Any) -> Any:
    """What it returns there, on a connection of its own."""
    return together(call)[0]


@pytest.mark.redis
def test_others_are_told_nothing_from_before_the_rows_change_until_they_are_committed(redis_cache: str) -> None:
    before = told(A)
    with transaction.atomic():
        changing(A)
        assert in_a_thread(lambda: versions(A)) is None
        assert in_a_thread(lambda: versions(B)) is not None
    assert told(A)[A] != before[A]


def test_others_are_told_the_old_version_until_the_commit_where_it_is_counted(settings: Settings) -> None:
    settings.AUTOMATE_API_CACHE = None
    before = told(A)
    if connection.vendor == "sqlite":
        with transaction.atomic():
            changing(A)
    else:
        with transaction.atomic():
            changing(A)
            assert in_a_thread(lambda: versions(A)) == before
    assert told(A)[A] != before[A]


@pytest.mark.redis
@pytest.mark.parametrize("first_to_end", [0, 1])
def test_of_two_changes_at_once_the_last_to_end_lets_others_cache_again(redis_cache: str, first_to_end: int) -> None:
    """Also where the one that began first ends last: its rows were not there to be read before."""
    changes = [Change([A], using="default"), Change([A], using="default")]
    changes.pop(first_to_end).end()
    assert versions(A) is None
    changes[0].end()
    assert versions(A) is not None


@pytest.mark.redis
def test_a_rollback_and_a_kill_leave_a_mark_that_expires(redis_cache: str) -> None:
    before = told(A)
    with transaction.atomic():
        changing(A)
        transaction.set_rollback(True)
    assert versions(A) is None
    Change([A, B], using="default")  # and its process was killed
    assert versions(B) is None
    forget_marks()
    assert told(A)[A] != before[A]


@pytest.mark.redis
def test_a_mark_lives_for_a_minute(redis_cache: str) -> None:
    with redis.Redis.from_url(redis_cache) as client:
        now = client.time()[0] * 1000
        Change([A], using="default")
        [key] = kept()
        [end] = client.hvals(key)
        assert 0 <= int(end) - now <= (version_stores.MARK_LIFE + 60) * 1000
        assert 0 < client.ttl(key) <= 86_400


@pytest.mark.redis
def test_a_change_that_took_longer_than_its_mark_lived_still_moves_the_version(redis_cache: str) -> None:
    change = Change([A], using="default")
    forget_marks()
    cached_too_early = told(A)
    change.end()
    assert told(A) != cached_too_early


@pytest.mark.redis
def test_a_flushed_cache_has_versions_that_nobody_had(redis_cache: str) -> None:
    before = told(A)
    change = Change([B], using="default")
    flush()
    assert told(A) != before
    cached_too_early = told(B)
    change.end()
    assert told(B) != cached_too_early


DEAD = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}


@pytest.mark.parametrize("backend", [DEAD["BACKEND"], "tests.unscripted.UnscriptedCache"])
def test_without_its_cache_nothing_is_told_and_nothing_is_changed(settings: Settings, backend: str) -> None:
    make_provider()
    settings.CACHES = {"default": DEAD | {"BACKEND": backend}}
    assert versions(A) is None

    def change() -> None:
        with transaction.atomic():
            changing(A)
            Provider.objects.all().delete()

    with pytest.raises(CacheUnavailable):
        change()
    assert Provider.objects.exists()


def test_a_cache_that_stores_nothing_and_says_nothing_is_noticed(
    settings: Settings, redis_cache: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHES = {"default": settings.CACHES["default"] | {"BACKEND": "tests.unscripted.UnscriptedCache"}}
    monkeypatch.setattr("tests.unscripted.UnscriptedCache.set", lambda *args, **kwargs: None)
    with transaction.atomic(), pytest.raises(CacheUnavailable):
        changing(A)


@pytest.mark.redis
def test_what_a_savepoint_undoes_is_not_announced_as_over(redis_cache: str) -> None:
    with transaction.atomic():
        with transaction.atomic():
            changing(A)
            transaction.set_rollback(True)
        changing(B)
    assert versions(A) is None
    assert versions(B) is not None


@pytest.mark.redis
def test_versions_cost_no_query_on_a_shared_cache(
    redis_cache: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        told(A, B)


def test_versions_cost_one_query_elsewhere(
    settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.AUTOMATE_API_CACHE = None
    with django_assert_num_queries(1):
        told(A, B, "people")
    with django_assert_num_queries(0):
        assert versions(A, "user:1") is None
    with transaction.atomic(), django_assert_num_queries(1):
        changing(B, A, "user:1", f"key:{'0' * 32}")
    assert set(ChangeCounter.objects.values_list("scope", flat=True)) == {A, B}


def test_writers_of_the_same_scopes_wait_for_each_other_and_not_in_a_circle(settings: Settings) -> None:
    settings.AUTOMATE_API_CACHE = None
    row = make_provider()

    def write(scopes: tuple[str, ...]) -> None:
        for _round in range(5):
            with transaction.atomic():
                changing(*scopes)
                Provider.objects.filter(pk=row.pk).update(name=scopes[0])

    together(*[lambda scopes=scopes: write(scopes) for scopes in [(A, B), (B, A)] * 3])
    assert told(A, B) == {A: "30", B: "30"}


class Race:
    """Writers that count a row up, and readers that cache it under its version."""

    def __init__(self) -> None:
        self.row = make_provider(max_retries=0)
        self.committed, self.cached, self.stale, self.hits = 0, {}, [], 0
        self.lock, self.over = threading.Lock(), threading.Event()

    def write(self) -> None:
        for _round in range(10):
            with transaction.atomic():
                changing(A)
                current = Provider.objects.select_for_update().get(pk=self.row.pk)
                Provider.objects.filter(pk=self.row.pk).update(max_retries=current.max_retries + 1)
            with self.lock:
                self.committed = max(self.committed, current.max_retries + 1)

    def read(self) -> None:
        while not self.over.is_set():
            self.read_once()

    def read_once(self) -> None:
        at_least, now = self.committed, versions(A)
        found = self.cached.get(now[A]) if now is not None else None
        self.hits += found is not None
        if found is None:
            found = Provider.objects.get(pk=self.row.pk).max_retries
            if now is not None:
                self.cached[now[A]] = found
        if found < at_least:
            self.stale.append((found, at_least))


def test_no_reader_uses_what_others_have_changed(store: str) -> None:
    """None is told less than is known to be committed."""
    race = Race()

    def write_all() -> None:
        together(*[race.write] * 3)
        race.over.set()

    together(write_all, race.read, race.read)
    assert race.over.is_set()
    assert race.committed == 30
    assert not race.stale
    forget_marks() if store != "database" else None
    race.read_once()
    race.read_once()
    assert race.hits


def orders(*lives: int) -> Iterator[list[int]]:
    """Every order in which that many steps of each can fall between each other's."""
    if not any(lives):
        yield []
    for who, left in enumerate(lives):
        if left:
            for rest in orders(*lives[:who], left - 1, *lives[who + 1 :]):
                yield [who, *rest]


class Table:
    """A value, two that change it by begin, commit and end, and one who takes versions and then reads and caches it."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.value, self.cached = 0, {}
        self.lives = [self.change(), self.change(), self.read()]

    def change(self) -> Iterator[None]:
        change = Change([self.scope], using="default")
        yield
        self.value += 1
        yield
        change.end()
        yield

    def read(self) -> Iterator[None]:
        now = versions(self.scope)
        yield
        if now is not None:
            self.cached[now[self.scope]] = self.value
        yield

    def is_stale(self) -> bool:
        now = versions(self.scope)
        return now is not None and self.cached.get(now[self.scope], self.value) != self.value


@pytest.mark.redis
@pytest.mark.parametrize("killed", [(3, 3), (3, 2), (2, 2), (3, 1)])
def test_in_no_order_of_steps_is_anything_stale_used(redis_cache: str, killed: tuple[int, int]) -> None:
    """Of two writers, each of which is killed after so many steps, or ends its change with the third."""
    for number, order in enumerate(orders(*killed, 2)):
        table = Table(f"tenant:{number}")
        for step, who in enumerate(order):
            next(table.lives[who])
            assert not table.is_stale(), order[: step + 1]


def test_only_a_cache_that_processes_share_is_one(settings: Settings, redis_cache: str) -> None:
    assert shared_cache() is caches["default"]
    settings.AUTOMATE_API_CACHE = None
    assert shared_cache() is None
    settings.AUTOMATE_API_CACHE = "nowhere"
    assert shared_cache() is None
    settings.CACHES |= {"nowhere": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    assert shared_cache() is None


def test_a_scope_may_have_what_no_key_of_a_cache_may(store: str) -> None:
    scope = "tenant:ä b\n" + "x" * 50
    assert told(scope) == told(scope)
