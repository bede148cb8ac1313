"""Schedules as cron has them, in a time zone: which moments they mean.

The five fields are read by `cronsim`, which follows Debian's cron; what they mean on days on which the clocks are
changed follows it too. A schedule whose minutes and hours are both given, as in `30 2 * * *`, is due once for each time
that it names: where the clocks skip that time, at the end of what they skip, and where they show it twice, at the
first. Any other, as in `*/15 * * * *`, is due whenever the clocks show a time that it names: not where it is skipped,
and twice where it is shown twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext_lazy as _

from automate_api.exceptions import NotConfigured

#: How far the clocks are set back at once, at most. So far from a change, they show each time once and in order.
_MOST_SET_BACK = timedelta(hours=3)
_USUAL_SHIFT, _NOTHING = timedelta(hours=1), timedelta()
_MINUTE = timedelta(minutes=1)
_FIELDS = 5


class InvalidSchedule(ValueError):
    """Not a schedule. `field` is what is wrong with it, `schedule` or `time_zone`; `detail` says what."""

    def __init__(self, field: str, detail: Any) -> None:
        super().__init__(str(detail))
        self.field, self.detail = field, str(detail)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule, of `parse_schedule`."""

    text: str
    zone: ZoneInfo

    def next(self, after: datetime) -> datetime | None:
        """The first moment after `after` at which it is due, in UTC; None where there is none in the next 50 years."""
        shown = self._shown(after)
        found: datetime | None = next(_ticks(self.text, shown), None)
        if found is None:
            return None
        shift = max(self._shift(shown), self._shift(found))
        return self._next_in_a_change(after, max(shift, _USUAL_SHIFT)) if shift else self._moment(found)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The moments after `after`, up to and with `until`, at which it is due, in their order."""
        moment = self.next(after)
        while moment is not None and moment <= until:
            yield moment
            moment = self.next(moment)

    def latest(self, most: int, *, after: datetime, until: datetime) -> list[datetime]:
        """The latest `most` of these, or all where they are fewer."""
        found: list[datetime] = []
        # Not from `after` on: that may be a year ago, and the schedule for each minute.
        span = timedelta(hours=1)
        while len(found) < most and after < until:
            start = max(after, until - span)
            found = list(self.between(start, until))
            if start == after:
                break
            span *= 2
        return found[-most:] if most else []

    def _next_in_a_change(self, after: datetime, shift: timedelta) -> datetime | None:
        """The same where the clocks are changed soon or have been lately: of all the times around, the first moment."""
        best: datetime | None = None
        for time in _ticks(self.text, self._shown(after) - shift):
            if best is not None and time > self._shown(best) + shift:
                break
            for moment in self._moments(time):
                if moment > after and (best is None or moment < best):
                    best = moment
        return best

    def _moments(self, time: datetime) -> list[datetime]:
        """When the schedule is due for a time that the clocks may show: once, twice or never."""
        first, second = self._moment(time), self._moment(time, fold=1)
        if first < second and self._is_repeating:
            return [first, second]
        # Of a time that is skipped, either leads to another time.
        if self._shown(first) != time:
            return [] if self._is_repeating else [self._end_of_gap(time)]
        return [first]

    def _end_of_gap(self, time: datetime) -> datetime:
        while self._shown(self._moment(time)) != time:
            time += _MINUTE
        return self._moment(time)

    @property
    def _is_repeating(self) -> bool:
        minutes, hours = self.text.split()[:2]
        return minutes.startswith("*") or hours.startswith("*")

    def _shift(self, time: datetime) -> timedelta:
        """By how much the clocks are changed around this time, one way or the other."""
        around = (time - _MOST_SET_BACK, time, time + _MOST_SET_BACK)
        offsets = [each.replace(tzinfo=self.zone).utcoffset() or _NOTHING for each in around]
        return max(offsets) - min(offsets)

    def _moment(self, time: datetime, *, fold: int = 0) -> datetime:
        return time.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)

    def _shown(self, moment: datetime) -> datetime:
        """What the clocks show at a moment."""
        return moment.astimezone(self.zone).replace(tzinfo=None, fold=0)


def parse_schedule(text: str, time_zone: str) -> Schedule:
    """The schedule of five fields in the time zone with this IANA name.

    Raises:
        InvalidSchedule: it is none, or never due, or there is no such zone.
        NotConfigured: the package that reads it is not installed.
    """
    if time_zone not in _zones():
        raise InvalidSchedule("time_zone", _("There is no such time zone."))
    if len(text.split()) != _FIELDS or not text.isascii():
        raise InvalidSchedule("schedule", _("A schedule has five fields: minute, hour, day, month, day of the week."))
    schedule = Schedule(text, ZoneInfo(time_zone))
    try:
        is_ever_due = next(_ticks(text, datetime(2000, 1, 1)), None) is not None  # noqa: DTZ001 - what a clock shows
    except NotConfigured:
        raise
    except Exception as exc:  # not only `CronSimError`: it has an `assert` too
        raise InvalidSchedule("schedule", _("This is no schedule as cron has them.")) from exc
    if not is_ever_due:
        raise InvalidSchedule("schedule", _("This is never due."))
    return schedule


def _ticks(text: str, after: datetime) -> Iterator[datetime]:
    """The times after `after` that a schedule names, where no clock is ever changed."""
    try:
        from cronsim import CronSim  # noqa: PLC0415
    except ImportError as exc:
        raise NotConfigured(_("Schedules need django-automate-api[workflows].")) from exc
    ticks: Iterator[datetime] = CronSim(text, after)
    return ticks


@cache
def _zones() -> frozenset[str]:
    # It reads the whole folder of them. A name that is none is not looked up: some are other files' paths.
    return frozenset(available_timezones())
