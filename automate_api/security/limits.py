"""Counting limits, on django-ratelimit's counters: fixed windows, exact across processes on a shared cache."""

import logging
import re

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django_ratelimit.core import get_usage

from automate_api.exceptions import RateLimited

logger = logging.getLogger(__name__)

# Seconds after which to ask again where the counters do not answer.
_RETRY_AFTER = 10

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
    try:
        # django-ratelimit joins the parts of a counter's name without a separator, so the caller brings its own.
        usage = get_usage(None, group=group, key=lambda _group, _request: f"|{caller}|", rate=rate, increment=True)
    except Exception as exc:
        # Its own settings only decide for caches that answer with None.
        logger.error("The cache that counts limits does not answer: %s", type(exc).__name__)
        if getattr(settings, "RATELIMIT_FAIL_OPEN", False):
            return
        raise RateLimited(_("The limit cannot be checked right now."), retry_after=_RETRY_AFTER) from exc
    if usage is not None and usage["should_limit"]:
        raise RateLimited(retry_after=max(1, usage["time_left"]))
