"""Timestamps and durations: RFC 3339 texts, Go's texts of durations, and calendars of time zones."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from automate.rules.errors import Kind, RuleFailed
from automate.rules.values import NANOS, Duration, Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = -62_135_596_800 * NANOS  # 0001-01-01T00:00:00Z
_LAST = 253_402_300_800 * NANOS - 1  # the last nanosecond of the year 9999
_LONGEST = 315_576_000_000 * NANOS  # ten thousand years

_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_PART = re.compile(r"(\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(h|ms|m|s|us|µs|μs|ns)", re.ASCII)
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)
_UNITS = {
    "h": 3600 * NANOS,
    "m": 60 * NANOS,
    "s": NANOS,
    "ms": 10**6,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ns": 1,
}
_MOST_PARTS = 64
_MOST_ZONE_CHARACTERS = 64


def timestamp(nanos: int) -> Timestamp:
    """The point in time.

    Raises:
        RuleFailed: it is before the year 1 or after the year 9999.
    """
    if not _FIRST <= nanos <= _LAST:
        raise RuleFailed(Kind.OVERFLOW, _("This time is not between the years 1 and 9999."))
    return Timestamp(nanos)


def duration(nanos: int) -> Duration:
    """The length of time.

    Raises:
        RuleFailed: it is longer than about ten thousand years.
    """
    if not -_LONGEST <= nanos <= _LONGEST:
        raise RuleFailed(Kind.OVERFLOW, _("This duration is too long."))
    return Duration(nanos)


def parse_timestamp(text: str) -> Timestamp:
    """The point in time that a text of RFC 3339 names.

    Raises:
        RuleFailed: it names none.
    """
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise _no_timestamp()
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    try:
        since = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - _EPOCH
    except ValueError:
        raise _no_timestamp() from None
    nanos = since // timedelta(seconds=1) * NANOS + int((found[7] or "").ljust(9, "0"))
    if found[8]:
        nanos -= _offset_seconds(found[8], found[9], found[10]) * NANOS
    return timestamp(nanos)


def _no_timestamp() -> RuleFailed:
    return RuleFailed(Kind.INVALID_ARGUMENT, _("This text is not a time like 2026-01-31T12:00:00Z."))


def _offset_seconds(sign: str, hours: str, minutes: str) -> int:
    if int(hours) > 23 or int(minutes) > 59:
        raise RuleFailed(Kind.INVALID_ARGUMENT, _("This is not an offset from UTC."))
    return (int(hours) * 3600 + int(minutes) * 60) * (-1 if sign == "-" else 1)


def parse_duration(text: str) -> Duration:
    """The length of time that a text such as `1h30m` or `-1.5s` names.

    Raises:
        RuleFailed: it names none.
    """
    body = text[1:] if text[:1] in {"+", "-"} else text
    total, at, parts = 0, 0, 0
    while at < len(body) or not parts:
        found = _PART.match(body, at)
        parts += 1
        if (found is None and body != "0") or parts > _MOST_PARTS:
            raise RuleFailed(Kind.INVALID_ARGUMENT, _("This text is not a duration like 1h30m or 1.5s."))
        if found is None:
            break
        whole, _point, fraction = found[1].partition(".")
        unit = _UNITS[found[2]]
        total += int(whole or 0) * unit + int(fraction or 0) * unit // 10 ** len(fraction)
        at = found.end()
    return duration(-total if text.startswith("-") else total)


def format_timestamp(value: Timestamp) -> str:
    """RFC 3339 in UTC, with as many decimals as it needs."""
    seconds, nanos = divmod(value.nanos, NANOS)
    moment = _EPOCH + timedelta(seconds=seconds)
    return f"{moment.replace(tzinfo=None).isoformat()}{_fraction(nanos)}Z"


def format_duration(value: Duration) -> str:
    """Seconds, with as many decimals as it needs."""
    seconds, nanos = divmod(abs(value.nanos), NANOS)
    return f"{'-' if value.nanos < 0 else ''}{seconds}{_fraction(nanos)}s"


def _fraction(nanos: int) -> str:
    return f".{nanos:09}".rstrip("0") if nanos else ""


def moment(value: Timestamp, zone: str = "UTC") -> datetime:
    """A timestamp as calendar and clock show it in a time zone: a name of the IANA's, or an offset like +02:00.

    Raises:
        RuleFailed: there is no such zone, or the year there is not between 1 and 9999.
    """
    try:
        return (_EPOCH + timedelta(microseconds=value.nanos // 1000)).astimezone(_zone(zone))
    except OverflowError:
        raise RuleFailed(Kind.OVERFLOW, _("This time is not between the years 1 and 9999.")) from None


def _zone(name: str) -> tzinfo:
    found = _OFFSET.fullmatch(name)
    if found:
        return timezone(timedelta(seconds=_offset_seconds(found[1], found[2], found[3])))
    zone = _named_zone(name) if len(name) <= _MOST_ZONE_CHARACTERS else None
    if zone is None:
        raise RuleFailed(Kind.INVALID_ARGUMENT, _("There is no such time zone."))
    return zone


@lru_cache(maxsize=1024)
def _named_zone(name: str) -> tzinfo | None:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
