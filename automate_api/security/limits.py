"""Counting limits, on django-ratelimit's counters: fixed windows, exact across processes on a shared cache."""

import re

from django_ratelimit.core import get_usage

from automate_api.exceptions import RateLimited

_RATE = re.compile(r"[1-9]\d{0,8}/(?:[1-9]\d{0,4})?(?:s|sec|second|m|min|minute|h|hour|d|day)")


def is_rate(text: str) -> bool:
    """Whether `text` is a limit such as `100/hour`, `10/m` or `5/30s`."""
    return _RATE.fullmatch(text) is not None


def count(group: str, caller: str, rate: str) -> None:
    """Count one call of `caller` against `rate` within `group`.

    Raises:
        RateLimited: this call is over the limit, or the counter's cache does not answer
            (unless `RATELIMIT_FAIL_OPEN` is set).
    """
    # django-ratelimit joins the parts of a counter's name without a separator, so the caller brings its own.
    usage = get_usage(None, group=group, key=lambda _group, _request: f"|{caller}|", rate=rate, increment=True)
    if usage is not None and usage["should_limit"]:
        raise RateLimited(retry_after=max(1, usage["time_left"]))
