"""Schedules: each time that is due is told once, whatever the clocks and the schedulers do."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from automate.models import Trigger
from automate.services import schedules
from automate.services.cron import InvalidSchedule, Schedule, parse_schedule
from automate.services.schedules import run_due
from automate.services.triggers import update_trigger
from automate_api.models import Event, Job
from automate_api.services import events as ingesting
from tests.automate.services.starts import flow, fresh, handle, make_trigger, runs
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("asked")]

#: Days on which the clocks are changed.
CHANGES = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-10-04", "2026-04-05"),
}
REPEATING = ("*/5 * * * *", "*/15 * * * *", "0 */3 * * *", "0 */2 * * *", "*/10 2 * * *", "5 * * * *")
FIXED = ("30 2 * * *", "0,30 2 * * *", "0 2,3 * * *", "15 1-3 * * *", "45 1 * * *", "59 23 * * *", "0 0 * * *")


def days() -> list[tuple[str, datetime]]:
    """Each zone with the beginning of a day on which its clocks are changed."""
    return [
        (zone, datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(minutes=1))
        for zone, both in CHANGES.items()
        for day in both
    ]


def shown(schedule: Schedule, moment: datetime) -> datetime:
    return moment.astimezone(schedule.zone).replace(tzinfo=None)


def matches(text: str, time: datetime) -> bool:
    return next(CronSim(text, time - timedelta(seconds=1))) == time


def minutes(start: datetime) -> list[datetime]:
    """Each minute of the day after `start`."""
    return [start + timedelta(minutes=minute) for minute in range(1, 24 * 60)]


# -- moments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("zone", "start"), days())
@pytest.mark.parametrize("text", REPEATING)
def test_a_repeating_schedule_is_due_in_each_minute_whose_time_it_names(text: str, zone: str, start: datetime) -> None:
    schedule = parse_schedule(text, zone)
    day = minutes(start)
    expected = [moment for moment in day if matches(text, shown(schedule, moment))]
    assert list(schedule.between(start, day[-1])) == expected


@pytest.mark.parametrize(("zone", "start"), days())
@pytest.mark.parametrize("text", FIXED)
def test_a_fixed_schedule_is_due_once_for_each_time_that_it_names(text: str, zone: str, start: datetime) -> None:
    schedule = parse_schedule(text, zone)
    first: dict[datetime, datetime] = {}
    for moment in minutes(start):
        first.setdefault(shown(schedule, moment), moment)
    times = itertools.takewhile(lambda time: time <= max(first), CronSim(text, min(first) - timedelta(minutes=1)))
    # Where the clocks skip it, the first time that they show instead.
    expected = {first[min(time for time in first if time >= named)] for named in times}
    assert list(schedule.between(start, max(first.values()))) == sorted(expected)


def test_a_schedule_made_while_the_clocks_show_a_time_again_does_not_look_back() -> None:
    schedule = parse_schedule("30 2 * * *", "Europe/Berlin")
    again = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    assert shown(schedule, again) == datetime.fromisoformat("2026-10-25T02:10")
    assert schedule.next(again) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_the_latest_of_many_times_are_found_without_the_others() -> None:
    schedule = parse_schedule("* * * * *", "Europe/Berlin")
    end = datetime(2026, 6, 1, tzinfo=UTC)
    latest = schedule.latest(3, after=datetime(1990, 1, 1, tzinfo=UTC), until=end)
    assert latest == [end - timedelta(minutes=minute) for minute in (2, 1, 0)]
    assert schedule.latest(3, after=end, until=end) == []
    yearly = parse_schedule("0 0 29 2 *", "UTC")
    assert len(yearly.latest(100, after=datetime(1990, 1, 1, tzinfo=UTC), until=end)) == 9


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.lists(st.text("0123456789*/,-#LWSUNMO?\x00٣", max_size=8), min_size=4, max_size=6).map(" ".join))
def test_whatever_is_written_is_a_schedule_or_refused(text: str) -> None:
    try:
        schedule = parse_schedule(text, "Europe/Berlin")
    except InvalidSchedule:
        return
    now = datetime(2026, 3, 28, 23, 59, 30, tzinfo=UTC)
    due = schedule.next(now)
    assert due is not None
    assert due > now


# -- triggers --------------------------------------------------------------------------------------------------------

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def make_schedule(text: str = "0 * * * *", *, due: datetime = NOON, workflow: Any = None, **fields: Any) -> Trigger:
    """A schedule that is due next at that time."""
    trigger = make_trigger(workflow, kind="schedule", schedule=text, **fields)
    Trigger.objects.filter(pk=trigger.pk).update(next_due=due)
    return fresh(trigger)


def told(trigger: Trigger) -> list[str]:
    """The times that were told of."""
    source = f"automate:trigger:{trigger.pk}"
    return [event.payload["due"] for event in Event.objects.filter(source=source).order_by("occurred_at")]


def test_what_is_due_starts_its_workflow_and_no_other() -> None:
    trigger, _other = make_schedule(), make_schedule()
    make_trigger(pattern="*")
    Trigger.objects.exclude(pk=trigger.pk).update(next_due=NOON + timedelta(minutes=1))
    assert run_due(NOON - timedelta(seconds=1)) == 0
    assert run_due(NOON) == 1
    assert run_due(NOON) == 0
    handle()
    assert [(run.trigger_id, run.status, run.user) for run in runs()] == [(trigger.pk, "succeeded", None)]
    assert runs()[0].context["payload"] == {"due": "2026-03-10T12:00:00Z"}
    assert fresh(trigger).next_due == NOON + timedelta(hours=1)
    assert fresh(trigger).last_fired_at is not None


def test_a_new_schedule_is_due_next_by_the_clock_and_not_before() -> None:
    trigger = make_trigger(kind="schedule", schedule="30 9 * * *", time_zone="Australia/Lord_Howe")
    assert trigger.next_due is not None
    assert trigger.next_due > datetime.now(UTC)
    local = trigger.next_due.astimezone(ZoneInfo("Australia/Lord_Howe"))
    assert (local.hour, local.minute, local.second) == (9, 30, 0)
    assert run_due() == 0


@pytest.mark.parametrize(("catch_up", "expected"), [("all", ["09", "10", "11", "12"]), ("latest", ["12"])])
def test_what_was_missed_is_made_up_for(catch_up: str, expected: list[str]) -> None:
    trigger = make_schedule(due=NOON - timedelta(hours=3), catch_up=catch_up)
    assert run_due(NOON + timedelta(minutes=59)) == len(expected)
    assert told(trigger) == [f"2026-03-10T{hour}:00:00Z" for hour in expected]
    assert handle() == len(runs(trigger)) == len(expected)


def test_no_more_is_made_up_for_than_the_host_says(settings: Any) -> None:
    settings.AUTOMATE_CATCH_UP = 2
    trigger = make_schedule("* * * * *", due=NOON - timedelta(days=365))
    assert run_due(NOON) == 2
    assert told(trigger) == ["2026-03-10T11:59:00Z", "2026-03-10T12:00:00Z"]


@pytest.mark.parametrize("change", [{"schedule": "5 * * * *"}, {"time_zone": "Asia/Kolkata"}, {"enabled": False}])
def test_a_schedule_that_is_changed_goes_on_from_now(change: dict[str, Any]) -> None:
    trigger = make_schedule()
    changed = update_trigger(trigger, **change)
    assert changed.next_due is None if "enabled" in change else changed.next_due > datetime.now(UTC)
    assert run_due(NOON) == 0
    if "enabled" in change:
        assert update_trigger(changed, enabled=True).next_due > datetime.now(UTC)
    untouched = make_schedule()
    assert update_trigger(untouched, name="Renamed").next_due == NOON


def test_what_passes_while_the_workflow_is_switched_off_is_gone() -> None:
    trigger = make_schedule(workflow=flow(enabled=False))
    run_due(NOON)
    assert fresh(trigger).next_due == NOON + timedelta(hours=1)
    assert not Event.objects.exists()


def test_a_time_is_told_once_though_its_trigger_is_set_back() -> None:
    trigger = make_schedule()
    run_due(NOON)
    Trigger.objects.update(next_due=NOON)
    run_due(NOON)
    assert told(trigger) == ["2026-03-10T12:00:00Z"]
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_moved_on_that_could_not_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = make_schedule(), make_schedule()
    create = ingesting.create_job

    def fail(execution: Any, **about: Any) -> Any:
        if str(broken.pk) in str(Event.objects.get(pk=execution.input["events"][0]).source):
            raise RuntimeError("the password is hunter2")
        return create(execution, **about)

    monkeypatch.setattr(ingesting, "create_job", fail)
    assert run_due(NOON) == 1
    assert (told(broken), told(sound)) == ([], ["2026-03-10T12:00:00Z"])
    assert fresh(broken).next_due == NOON
    monkeypatch.undo()
    assert run_due(NOON) == 0 if told(broken) else 1


def test_a_schedule_that_nobody_understands_any_more_is_put_aside() -> None:
    trigger, sound = make_schedule(), make_schedule()
    Trigger.objects.filter(pk=trigger.pk).update(time_zone="Mars/Olympus_Mons")
    assert run_due(NOON) == 1
    assert (fresh(trigger).next_due, fresh(trigger).last_error) == (None, "There is no such time zone.")
    assert told(sound)


def test_there_may_be_more_due_than_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "_BATCH", 2)
    for _ in range(5):
        make_schedule()
    assert run_due(NOON) == 5


@pytest.mark.parametrize("between", [run_due, lambda now: update_trigger(Trigger.objects.get(), schedule="1 * * * *")])
def test_of_two_that_see_the_same_one_tells(monkeypatch: pytest.MonkeyPatch, between: Callable[[Any], Any]) -> None:
    trigger = make_schedule()
    due = schedules._due

    def due_and_then(now: Any) -> list[Trigger]:
        seen = due(now)
        monkeypatch.setattr(schedules, "_due", due)
        between(now)
        return seen

    monkeypatch.setattr(schedules, "_due", due_and_then)
    assert run_due(NOON) == 0
    assert len(told(trigger)) == (between is run_due)
