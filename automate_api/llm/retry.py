"""When a call that failed is tried again, and after how long."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

from automate_api.exceptions import (
    UpstreamBrokeOff,
    UpstreamError,
    UpstreamFailed,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from automate_api.llm.types import Retry

#: Seconds: the longest first wait, and the longest of all where the model server names none.
FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
#: Seconds of `Retry-After` that are waited for; a server that asks for more is not called again.
LONGEST_RETRY_AFTER = 60.0
A_DAY = 86_400.0

_RETRYABLE = (UpstreamUnavailable, UpstreamTimeout, UpstreamBrokeOff, UpstreamRateLimited, UpstreamFailed)


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of the `Retry-After` header (RFC 9110, section 10.2.3: seconds or a date), None where there is none.

    More than a day is a day.
    """
    value = headers.get("Retry-After", "").strip()
    try:
        seconds = float(value) if value[:1].isdigit() else _seconds_until(value)
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), A_DAY) if isfinite(seconds) else None


def _seconds_until(date: str) -> float:
    when = parsedate_to_datetime(date)
    return ((when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()


def plan_retry(error: UpstreamError, *, attempt: int, max_retries: int, retry_after: float | None) -> Retry | None:
    """What to do after attempt number `attempt` (from 1) failed with `error`, None being: give up.

    The wait is what the server asked for, else exponential with full jitter. The caller knows whether anything of the
    answer had arrived, in which case nothing is tried again.
    """
    if attempt > max_retries or not isinstance(error, _RETRYABLE):
        return None
    if retry_after is not None and retry_after > LONGEST_RETRY_AFTER:
        return None
    wait = _jittered(attempt) if retry_after is None else retry_after
    return Retry(attempt + 1, round(wait, 3), error.code.value)


def _jittered(attempt: int) -> float:
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempt - 1, 10))
    return random.uniform(0, longest)  # noqa: S311
