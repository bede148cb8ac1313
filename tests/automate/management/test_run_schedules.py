"""`manage.py run_schedules` tells of what is due, and outlives a database that fails."""

import signal
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError

from automate.management.commands import run_schedules

pytestmark = pytest.mark.django_db


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What each look comes to; the last is told to stop, as by SIGTERM."""

    def come_to(*outcomes: Any) -> None:
        left = list(outcomes)

        def look() -> Any:
            outcome = left.pop(0)
            if not left:
                signal.raise_signal(signal.SIGTERM)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setattr(run_schedules, "run_due", look)

    return come_to


def said(**options: Any) -> tuple[str, str]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    out, err = StringIO(), StringIO()
    try:
        call_command("run_schedules", stdout=out, stderr=err, every=0, **options)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return out.getvalue(), err.getvalue()


def test_it_goes_on_until_it_is_told_to_stop(rounds: Callable[..., None]) -> None:
    rounds(0, 2, OperationalError("password=hunter2"), 1)
    out, err = said()
    assert out == "Looking after schedules.\ndue: 2\ndue: 1\nStopped.\n"
    assert err == "The database could not be reached: OperationalError\n"


def test_once_is_once() -> None:
    assert said(once=True) == ("", "")
