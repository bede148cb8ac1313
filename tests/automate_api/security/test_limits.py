"""Limits count exactly, across processes, and a dead cache is not a way around them."""

import subprocess
import sys
from typing import Any

import pytest
import redis
from django.core.cache import caches
from django.test import override_settings
from django_ratelimit.core import get_usage
from pytest_django import Settings

from automate_api.exceptions import RateLimited
from automate_api.security.limits import count, is_rate
from tests.servers import ROOT

EIGHT_PROCESSES_OF_FORTY = """
import sys
import django
from django.conf import settings
redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": sys.argv[1]}
settings.configure(CACHES={"default": redis}, RATELIMIT_CACHE_PREFIX=sys.argv[2])
django.setup()
from automate_api.exceptions import RateLimited
from automate_api.security.limits import count
admitted = 0
for _ in range(40):
    try:
        count("group", "ann", "50/d", name="group")
        admitted += 1
    except RateLimited:
        pass
print(admitted)
"""


@pytest.mark.parametrize("rate", ["1/s", "100/hour", "10/m", "5/30s", "10/minute", "1000/d", "7/2day"])
def test_a_rate_is_a_number_and_a_period(rate: str) -> None:
    assert is_rate(rate)


@pytest.mark.parametrize(
    "rate", ["", "0/h", "-1/h", "1.5/h", "10", "10/", "10/x", "10/0s", "ten/h", "1/h\n", "1/h 2/h"]
)
def test_anything_else_is_not(rate: str) -> None:
    assert not is_rate(rate)


def test_each_caller_and_group_is_counted_for_itself() -> None:
    for group, caller in (("a", "ann"), ("a", "bob"), ("b", "ann")):
        count(group, caller, "1/h", name="x")
    with pytest.raises(RateLimited) as caught:
        count("a", "ann", "1/h", name="x")
    assert 1 <= (caught.value.retry_after or 0) <= 3600


def test_the_last_call_of_a_window_knows_that_it_is_the_last() -> None:
    first, last = (count("a", "ann", "2/30s", name="x") for _ in range(2))
    assert first is not None
    assert last is not None
    assert (first.remaining, last.remaining, last.quota, last.window) == (1, 0, 2, 30)
    with pytest.raises(RateLimited, match="“x” is 2/30s") as caught:
        count("a", "ann", "2/30s", name="x")
    assert caught.value.extensions == {"limit": {"name": "x", "rate": "2/30s"}}


@pytest.mark.parametrize("rate", ["1/s", "1/30s", "1/h"])
def test_who_comes_back_when_told_to_is_admitted_and_not_a_second_before(
    rate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000_000
    monkeypatch.setattr("time.time", lambda: now)
    count("a", "ann", rate, name="x")
    with pytest.raises(RateLimited) as caught:
        count("a", "ann", rate, name="x")
    now += int(caught.value.retry_after or 0) - 1
    with pytest.raises(RateLimited):
        count("a", "ann", rate, name="x")
    now += 1
    assert count("a", "ann", rate, name="x")


def test_a_groups_name_does_not_run_into_its_rate() -> None:
    count("v", "ann", "110/m", name="x")
    usage = count("v1", "ann", "10/m", name="x")
    assert usage is not None
    assert usage.remaining == 9


def test_the_counters_are_django_ratelimits() -> None:
    for _ in range(3):
        count("a", "ann", "9/d", name="x")
    usage = get_usage(None, group="a|", key=lambda _group, _request: "|ann|", rate="9/d", increment=True)
    assert (usage["count"], usage["limit"]) == (4, 9)


def test_a_counter_that_the_cache_has_thrown_out_begins_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A Redis counts in one step, and makes what is not there.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    count("a", "ann", "5/d", name="x")
    incr = caches["default"].incr

    def forgetful(key: str, *args: Any, **kwargs: Any) -> int:
        monkeypatch.setattr(caches["default"], "incr", incr)
        caches["default"].delete(key)
        return incr(key, *args, **kwargs)

    monkeypatch.setattr(caches["default"], "incr", forgetful)
    usage = count("a", "ann", "5/d", name="x")
    assert usage is not None
    assert usage.count == 1


def test_nothing_is_counted_where_limits_are_switched_off(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False
    assert [count("a", "ann", "1/d", name="x") for _ in range(3)] == [None] * 3


def test_a_count_is_one_round_trip_to_redis_and_ends_with_its_window(
    redis_cache: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    send = redis.connection.Connection.send_packed_command

    def noting(self: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(command)
        return send(self, command, *args, **kwargs)

    count("a", "ann", "9/m", name="x")
    monkeypatch.setattr(redis.connection.Connection, "send_packed_command", noting)
    count("a", "ann", "9/m", name="x")
    assert len(sent) == 1
    with redis.Redis.from_url(redis_cache) as client:
        key = next(client.scan_iter(f"{caches['default'].key_prefix}*"))
        assert 1 <= client.ttl(key) <= 65


def test_eight_processes_are_admitted_as_often_as_one(redis_cache: str, tmp_path: Any) -> None:
    command = [sys.executable, "-c", EIGHT_PROCESSES_OF_FORTY, redis_cache, f"rl-test-{tmp_path}"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) for _ in range(8)]
    assert sum(int(process.communicate(timeout=60)[0]) for process in processes) == 50


DEAD = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}


def test_without_the_counters_nobody_is_admitted() -> None:
    with override_settings(CACHES=DEAD), pytest.raises(RateLimited, match="cannot be checked"):
        count("a", "ann", "5/h", name="x")


def test_or_everybody_where_the_host_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with override_settings(CACHES=DEAD, RATELIMIT_FAIL_OPEN=True):
        count("a", "ann", "5/h", name="x")
    assert "does not answer" in caplog.text
