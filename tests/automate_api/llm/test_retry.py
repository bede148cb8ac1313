"""When a failed call is tried again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from automate_api.exceptions import (
    OutboundBlocked,
    UpstreamAuthFailed,
    UpstreamBrokeOff,
    UpstreamError,
    UpstreamFailed,
    UpstreamInvalid,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnavailable,
)
from automate_api.llm.retry import FIRST_WAIT, LONGEST_RETRY_AFTER, LONGEST_WAIT, parse_retry_after, plan_retry

RETRYABLE = [UpstreamUnavailable, UpstreamTimeout, UpstreamBrokeOff, UpstreamRateLimited, UpstreamFailed]
FINAL = [UpstreamRejected, UpstreamAuthFailed, UpstreamInvalid, UpstreamTooLarge]


@pytest.mark.parametrize("error", RETRYABLE)
def test_what_may_pass_is_tried_again(error: type[UpstreamError]) -> None:
    retry = plan_retry(error(), attempt=1, max_retries=1, retry_after=None)
    assert retry is not None
    assert (retry.attempt, retry.code) == (2, error.code.value)
    assert 0 <= retry.after_seconds <= FIRST_WAIT


@pytest.mark.parametrize("error", FINAL)
def test_what_will_not_pass_is_not_tried_again(error: type[UpstreamError]) -> None:
    assert plan_retry(error(), attempt=1, max_retries=9, retry_after=None) is None


def test_a_refused_address_is_no_fault_of_the_upstream() -> None:
    assert not issubclass(OutboundBlocked, UpstreamError)


def test_the_last_attempt_is_the_last() -> None:
    assert plan_retry(UpstreamFailed(), attempt=1, max_retries=0, retry_after=None) is None
    assert plan_retry(UpstreamFailed(), attempt=3, max_retries=2, retry_after=None) is None
    assert plan_retry(UpstreamFailed(), attempt=2, max_retries=2, retry_after=None) is not None


def waits(attempt: int) -> list[float]:
    plans = [plan_retry(UpstreamFailed(), attempt=attempt, max_retries=2000, retry_after=None) for _ in range(200)]
    return [plan.after_seconds for plan in plans if plan]


def test_waits_grow_with_full_jitter_to_a_longest() -> None:
    for attempt, longest in [(1, FIRST_WAIT), (2, 2 * FIRST_WAIT), (3, 4 * FIRST_WAIT), (1999, LONGEST_WAIT)]:
        seen = waits(attempt)
        assert len(seen) == 200
        assert min(seen) < longest / 2 < max(seen) <= longest


def test_the_server_says_how_long_to_wait() -> None:
    retry = plan_retry(UpstreamRateLimited(), attempt=1, max_retries=1, retry_after=7.25)
    assert retry is not None
    assert retry.after_seconds == 7.25


def test_a_server_that_asks_for_too_long_a_wait_is_not_called_again() -> None:
    assert plan_retry(UpstreamRateLimited(), attempt=1, max_retries=1, retry_after=LONGEST_RETRY_AFTER + 1) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0), ("12", 12), (" 12 ", 12), ("1.5", 1.5), ("9" * 30, 86400), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float) -> None:
    assert parse_retry_after({"Retry-After": value}) == seconds


def test_retry_after_may_be_a_date_to_come() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    seconds = parse_retry_after({"Retry-After": date})
    assert seconds is not None
    assert 0 < seconds <= 100


@pytest.mark.parametrize(
    "value", ["", "soon", "-5", "nan", "inf", "1e999", "0x10", "9" * 5000, "Wed, 99 Oct 2015", "\0"]
)
def test_a_retry_after_that_means_nothing_is_ignored(value: str) -> None:
    assert parse_retry_after({"Retry-After": value}) is None
    assert parse_retry_after({}) is None
