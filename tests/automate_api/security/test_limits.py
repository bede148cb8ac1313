"""Limits count exactly, across processes, and a dead cache is not a way around them."""

import subprocess
import sys
from typing import Any

import pytest
from django.test import override_settings

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
        count("group", "ann", "50/d")
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
        count(group, caller, "1/h")
    with pytest.raises(RateLimited) as caught:
        count("a", "ann", "1/h")
    assert 1 <= (caught.value.retry_after or 0) <= 3600


def test_eight_processes_are_admitted_as_often_as_one(redis_cache: str, tmp_path: Any) -> None:
    command = [sys.executable, "-c", EIGHT_PROCESSES_OF_FORTY, redis_cache, f"rl-test-{tmp_path}"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) for _ in range(8)]
    assert sum(int(process.communicate(timeout=60)[0]) for process in processes) == 50


DEAD = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}


def test_without_the_counters_nobody_is_admitted() -> None:
    with override_settings(CACHES=DEAD), pytest.raises(RateLimited, match="cannot be checked"):
        count("a", "ann", "5/h")


def test_or_everybody_where_the_host_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with override_settings(CACHES=DEAD, RATELIMIT_FAIL_OPEN=True):
        count("a", "ann", "5/h")
    assert "does not answer" in caplog.text
