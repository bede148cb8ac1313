"""Counting limits, on django-ratelimit's counters: fixed windows, exact across processes on a shared cache.

The counters are django-ratelimit's, under its keys and by its settings. Only the counting is done here: its own takes
three round trips to a Redis and does not survive one that has gone; this takes one.
"""

import logging
import re
import time
from typing import Any

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.core.cache.backends.redis import RedisCache
from django.utils.translation import gettext_lazy as _
from django_ratelimit import ALL
from django_ratelimit import core as counters

from automate_api.caches import redis_client
from automate_api.exceptions import RateLimited, Usage

logger = logging.getLogger(__name__)

# Seconds after which to ask again where the counters do not answer.
_RETRY_AFTER = 10

# Counts a key up, and gives it its lifetime where this made it.
_COUNT_UP = "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end return n"

_RATE = re.compile(r"[1-9]\d{0,8}/(?:[1-9]\d{0,4})?(?:s|sec|second|m|min|minute|h|hour|d|day)")


def is_rate(text: Any) -> bool:
    """Whether `text` is a limit such as `100/hour`, `10/m` or `5/30s`."""
    return isinstance(text, str) and _RATE.fullmatch(text) is not None


def count(group: str, caller: str, rate: str, *, name: str) -> Usage | None:
    """Count one call of `caller` against `rate` within `group`.

    Args:
        group: what is limited; callers are counted for each group apart.
        caller: who is counted.
        rate: such as `100/hour`.
        name: what the limit is called towards the caller.

    Returns:
        What is used now; None where nothing is counted: `RATELIMIT_ENABLE` is off, or the counters' cache does not
        answer and `RATELIMIT_FAIL_OPEN` is set.

    Raises:
        RateLimited: this call is over the limit, or the cache does not answer.
    """
    if not getattr(settings, "RATELIMIT_ENABLE", True):
        return None
    try:
        usage = _counted(group, caller, rate, name)
    except Exception as exc:
        logger.error("The cache that counts limits does not answer: %s", type(exc).__name__)
        if getattr(settings, "RATELIMIT_FAIL_OPEN", False):
            return None
        raise RateLimited(_("The limit cannot be checked right now."), retry_after=_RETRY_AFTER) from exc
    if usage.is_over:
        raise RateLimited(
            _("Too many requests: the limit “%(name)s” is %(rate)s.") % {"name": name, "rate": rate}, usage=usage
        )
    return usage


def _counted(group: str, caller: str, rate: str, name: str) -> Usage:
    # django-ratelimit joins the parts of a counter's name without a separator.
    group, value = f"{group}|", f"|{caller}|"
    quota, period = counters._split_rate(rate)  # noqa: SLF001 - pinned below 5, and compared with `get_usage` by a test
    window = counters._get_window(value, period)  # noqa: SLF001
    key = counters._make_cache_key(group, window, rate, value, ALL)  # noqa: SLF001
    cache = caches[getattr(settings, "RATELIMIT_USE_CACHE", "default")]
    counted = _increment(cache, key, period + counters.EXPIRATION_FUDGE)
    # A window is named after its last second.
    return Usage(name, rate, quota, period, counted, max(1, window + 1 - int(time.time())))


def _increment(cache: BaseCache, key: str, lifetime: int) -> int:
    """Count `key` up by one, from nothing to 1; `lifetime` in seconds counts from its first."""
    if isinstance(cache, RedisCache):
        return _increment_in_redis(cache, key, lifetime)
    if cache.add(key, 1, lifetime):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:
        # Thrown out in between, as caches in memory may: the count begins anew.
        cache.add(key, 0, lifetime)
        return int(cache.incr(key))


def _increment_in_redis(cache: Any, key: str, lifetime: int) -> int:
    """The same in one round trip; an integer's form there is Django's own."""
    name = cache.make_and_validate_key(key)
    return int(redis_client(cache, name).eval(_COUNT_UP, 1, name, lifetime))
