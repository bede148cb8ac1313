"""A warm key costs no query, and whatever is done to it or to its user counts at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
import redis
from django.conf import settings as settings_of_django
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group, User
from django.core.cache import caches
from django.db import connection, transaction
from django.db.models.signals import post_init, pre_save
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from automate_api.exceptions import CacheUnavailable
from automate_api.models import Actor, APIKey
from automate_api.services import cached_keys
from automate_api.services.api_keys import authenticate_key, find_live_key, issue_key, revoke_key, rotate_key
from automate_api.services.freshness import changing, versions
from automate_api.services.version_stores import RedisVersions
from tests.automate_api.services.together import together
from tests.factories import make_user
from tests.hosts.examples.models import Colleague
from tests.services import REDIS_URL

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis, pytest.mark.usefixtures("redis_cache")]


def warm(**fields: Any) -> tuple[APIKey, str]:
    """A key that is in the cache, and its text."""
    given = {"tenant_id": "acme", "user": make_user(is_staff=True), "name": "ci", "scopes": ["*"], **fields}
    key, text = issue_key(**given)
    for _time in range(2):  # whose it is is known after the first
        authenticate_key(text)
    return APIKey.objects.get(pk=key.pk), text


def kept() -> dict[str, bytes]:
    """What this test has in Redis, but for versions."""
    with redis.Redis.from_url(REDIS_URL) as client:
        names = list(client.scan_iter(f"*{settings_of_django.CACHES['default']['KEY_PREFIX']}*"))
        return {name.decode(): client.get(name) or b"" for name in names if client.type(name) == b"string"}


def test_a_warm_key_costs_no_query_and_its_user_is_like_any(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    group = Group.objects.create(name="readers")
    user = make_user(is_staff=True, first_name="Ann", email="ann@example.com", password="a hash of sorts")
    user.groups.add(group)
    stored, text = warm(user=user)
    with django_assert_num_queries(0):
        key = authenticate_key(text)
        assert key is not None
        assert key == stored
        assert (key.tenant_id, key.scopes, key.name, key.created_at) == ("acme", ["*"], "ci", stored.created_at)
        assert type(key.user) is User
        assert (key.user, key.user_id, key.user.username, key.user.email) == (user, user.pk, user.username, user.email)
        assert (key.user.is_staff, key.user.is_active, key.user.is_superuser) == (True, True, False)
        assert key.user.is_authenticated
    with django_assert_num_queries(1):
        assert key.user.first_name == "Ann"
    assert list(key.user.groups.all()) == [group]
    assert key.user.password == "a hash of sorts"
    key.user.last_name = "Smith"
    key.user.save()
    assert User.objects.get(pk=user.pk).last_name == "Smith"


def test_neither_the_secret_nor_a_digest_nor_a_password_is_in_the_cache() -> None:
    key, text = warm(user=make_user(password="a hash of sorts"))
    everything = repr(kept())
    assert len(kept()) == 2
    for secret in (text[37:], key.digest, "a hash of sorts"):
        assert secret not in everything


def test_wrong_keys_do_not_fill_the_cache(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    _key, text = warm()
    before = kept()
    for number in range(10):
        with django_assert_num_queries(1):
            assert authenticate_key(f"{text[:-2]}{number}{'A' if text[-1] != 'A' else 'B'}") is None
        assert authenticate_key(f"aak_{number:032x}_{'A' * 43}") is None
    assert kept() == before


def deactivate(key: APIKey) -> None:
    user = User.objects.get(pk=key.user_id)
    user.is_active = False
    user.save()


def deactivate_through_a_proxy(key: APIKey) -> None:
    colleague = Colleague.objects.get(pk=key.user_id)
    colleague.is_active = False
    colleague.save(update_fields=["is_active"])


def deactivate_in_bulk(key: APIKey) -> None:
    with transaction.atomic():
        changing(f"user:{key.user_id}")
        User.objects.filter(pk=key.user_id).update(is_active=False)


def expire(key: APIKey) -> None:
    key.expires_at = timezone.now() - timedelta(seconds=1)
    key.save()


def rotate(key: APIKey) -> None:
    rotate_key(key, actor=Actor(user=key.user, tenant_id=key.tenant_id))


ENDS: list[Callable[[APIKey], Any]] = [
    *(revoke_key, rotate, expire, deactivate, deactivate_through_a_proxy, deactivate_in_bulk),
    APIKey.delete,
    lambda key: APIKey.objects.filter(pk=key.pk).delete(),
    lambda key: key.user.delete(),
    lambda key: User.objects.filter(pk=key.user_id).delete(),
]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("atomic", [False, True])
def test_whatever_ends_a_key_ends_it_at_once(end: Callable[[APIKey], Any], atomic: bool) -> None:
    key, text = warm()

    def do() -> None:
        if not atomic:
            end(key)
            return
        with transaction.atomic():
            end(key)

    together(do)  # on another connection, as in another process
    assert authenticate_key(text) is None


def test_other_changes_count_at_once_too(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    key, text = warm()
    key.scopes = ["endpoints:run"]
    key.save(update_fields=["scopes"])
    user = key.user
    user.is_staff = False
    user.save(update_fields=["is_staff"])
    for _time in range(2):
        found = authenticate_key(text)
        assert found is not None
        assert (found.scopes, found.user.is_staff) == (["endpoints:run"], False)
    with django_assert_num_queries(0):
        assert authenticate_key(text) == found


def test_a_row_that_is_named_by_text_is_the_same_row() -> None:
    key, text = warm()
    for written in (str(key.pk), key.pk.hex.upper()):
        row: Any = APIKey.objects.get(pk=key.pk)
        row.pk = row.name = written
        row.save(update_fields=["name"])
        found = authenticate_key(text)
        assert found is not None
        assert found.name == written
        assert authenticate_key(text) == found


def test_a_sign_in_changes_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user = make_user()
    user.set_password("correct")
    user.save()
    _key, text = warm(user=user)
    user.last_login = timezone.now()
    user.save(update_fields=["last_login"])
    assert authenticate(RequestFactory().get("/"), username=user.username, password="correct") == user
    with django_assert_num_queries(0):
        assert authenticate_key(text)


def test_what_is_read_while_it_is_changed_is_not_kept() -> None:
    """By a save in a transaction, whose rows others do not see yet, and by one without."""
    key, text = warm()

    def read_by_others(**kwargs: Any) -> None:
        if connection.vendor != "sqlite" or not connection.in_atomic_block:
            together(*[lambda: authenticate_key(text)] * 2)

    pre_save.connect(read_by_others, sender=User)
    try:
        for atomic, is_staff in ((False, False), (True, True)):
            user = key.user
            user.is_staff = is_staff
            if atomic:
                with transaction.atomic():
                    user.save()
                    read_by_others() if connection.vendor != "sqlite" else None
            else:
                user.save()
            found = authenticate_key(text)
            assert found is not None
            assert found.user.is_staff is is_staff
    finally:
        pre_save.disconnect(read_by_others, sender=User)


def test_a_save_that_fails_keeps_nothing_wrong() -> None:
    key, text = warm()
    make_user(username="taken")
    user = key.user
    user.username, user.is_staff = "taken", False
    with pytest.raises(Exception, match=r"(?i)unique"):
        user.save()
    found = authenticate_key(text)
    assert found is not None
    assert found.user.is_staff


def test_a_transaction_reads_what_it_has_changed_itself() -> None:
    key, text = warm()
    with transaction.atomic():
        revoke_key(key)
        assert authenticate_key(text) is None
        transaction.set_rollback(True)
    assert authenticate_key(text) == key


def test_a_key_is_kept_no_longer_than_it_is_good_for() -> None:
    warm(expires_at=timezone.now() + timedelta(seconds=20))
    with redis.Redis.from_url(REDIS_URL) as client:
        [name] = [name for name in kept() if "automate-api:key:" in name]
        assert 0 < client.ttl(name) <= 20
    warm(expires_at=timezone.now() + timedelta(seconds=0.9))
    assert len([name for name in kept() if "automate-api:key:" in name]) == 1


def test_what_is_kept_says_itself_when_it_is_over(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """A clock that is fast costs a query, and decides nothing: the database's does."""
    key, text = warm(expires_at=timezone.now() + timedelta(seconds=20))
    with django_assert_num_queries(0):
        authenticate_key(text)
    monkeypatch.setattr(cached_keys.timezone, "now", lambda: key.expires_at + timedelta(seconds=1))
    with django_assert_num_queries(1):
        assert authenticate_key(text) == key


def test_an_old_secret_is_kept_until_its_overlap_is_over() -> None:
    key, old = warm()
    _key, new = rotate_key(key, actor=Actor(user=key.user, tenant_id="acme"), overlap_seconds=30)
    for text in (old, new) * 2:
        assert authenticate_key(text) == key
    with redis.Redis.from_url(REDIS_URL) as client:
        lives = sorted(client.ttl(name) for name in kept() if "automate-api:key:" in name)
    assert lives[0] <= 30 < lives[1]
    revoke_key(key)
    assert authenticate_key(old) is authenticate_key(new) is None


def test_users_that_look_at_themselves_when_they_are_made_are_not_kept(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key, text = warm()

    def look_at_oneself(self: User, *args: Any, **kwargs: Any) -> None:
        super(User, self).__init__(*args, **kwargs)
        self.was = (self.first_name, self.last_name)

    monkeypatch.setattr(User, "__init__", look_at_oneself)
    before = kept()
    with django_assert_num_queries(1):
        assert authenticate_key(text) == key
    assert kept() == before


def test_users_that_somebody_looks_at_when_they_are_made_are_not_kept(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    key, text = warm()

    def look_at_it(sender: Any, instance: Any, **kwargs: Any) -> None:
        instance.was = (instance.first_name, instance.last_name)

    post_init.connect(look_at_it, sender=User)
    try:
        with django_assert_num_queries(1):
            assert authenticate_key(text) == key
    finally:
        post_init.disconnect(look_at_it, sender=User)


def test_users_that_compute_whether_they_are_active_are_asked_each_time(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key, text = warm()
    monkeypatch.setattr("automate_api.services.cached_keys.users_have", lambda name: False)
    monkeypatch.setattr(User, "is_active", property(lambda user: user.first_name == "", lambda user, value: None))
    with django_assert_num_queries(1):
        assert authenticate_key(text) == key
    User.objects.update(first_name="gone")
    assert authenticate_key(text) is None
    assert find_live_key(key.pk) is None


DEAD = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}


@pytest.mark.parametrize("end", [revoke_key, rotate, deactivate, APIKey.delete])
def test_without_its_cache_a_key_is_read_and_ends_as_it_should(
    end: Callable[[APIKey], Any], settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Where it answers another process meanwhile, the key goes on there for as long as it is kept: a minute."""
    key, text = warm()
    settings.CACHES = DEAD
    with django_assert_num_queries(1):
        assert authenticate_key(text) == key
    end(key)
    assert authenticate_key(text) is None


def test_a_change_is_announced_at_its_end_where_the_cache_answers_again(monkeypatch: pytest.MonkeyPatch) -> None:
    key, text = warm()
    away = Mock(side_effect=CacheUnavailable)
    monkeypatch.setattr(RedisVersions, "begin", away)
    revoke_key(key)
    assert away.called
    assert authenticate_key(text) is None


def test_without_a_shared_cache_a_key_is_one_query_and_a_change_announces_nothing(
    settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.AUTOMATE_API_CACHE = None
    key, text = warm()
    with django_assert_num_queries(1):
        assert authenticate_key(text) == key
    user = key.user
    # The lists of LLM clients count `people`, before and after.
    with django_assert_num_queries(3):
        user.save()
    revoke_key(key)
    assert authenticate_key(text) is None
    assert not kept()


def test_what_another_release_has_kept_is_read_anew() -> None:
    key, text = warm()
    [name] = [name for name in kept() if "automate-api:key:" in name]
    name = name.partition(":1:")[2]
    entry = caches["default"].get(name)
    caches["default"].set(name, {**entry, "user": {"id": key.user_id, "is_staff": False}})
    found = authenticate_key(text)
    assert found is not None
    assert found.user.is_staff


def test_users_of_any_kind_have_their_flags_kept() -> None:
    assert set(cached_keys.kept_of_users()) == {"id", "username", "email", "is_active", "is_staff", "is_superuser"}
    assert get_user_model()._meta.pk.attname in cached_keys.kept_of_users()
    assert versions("user:1") is not None
