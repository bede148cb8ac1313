"""What apps have a worker's process look after: called when it is due, whatever the others do."""

from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from automate_api.management.commands import automate_worker
from automate_api.services import duties
from automate_api.services.duties import Rounds, register_duty


@pytest.fixture(autouse=True)
def none_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "_registry", {})


@pytest.fixture
def called() -> list[str]:
    """What was called, of three duties of which the first raises."""
    names: list[str] = []

    def fails() -> None:
        names.append("fails")
        raise RuntimeError("of sk-canary-0123456789abcdef")

    register_duty("test.fails", fails, every=1000)
    register_duty("test.often", lambda: names.append("often"), every=1000)
    register_duty("test.seldom", lambda: names.append("seldom"), every=3000)
    return names


def test_each_is_called_when_it_is_due_and_one_that_raises_keeps_nobody_else_from_it(
    called: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    times = iter([second for second in (0, 900, 1000, 2000, 3000) for _duty in range(3)])
    rounds = Rounds(clock=lambda: next(times))
    for expected in (["fails", "often", "seldom"], [], ["fails", "often"], ["fails", "often"], None):
        called.clear()
        rounds.go()
        assert called == (["fails", "often", "seldom"] if expected is None else expected)
    assert "The duty 'test.fails' has failed" in caplog.text
    assert "canary" not in caplog.text


def test_a_name_is_one_duties() -> None:
    register_duty("test.one", print, every=1)
    register_duty("test.one", print, every=1)
    for function, every in ((repr, 1), (print, 2)):
        with pytest.raises(ImproperlyConfigured):
            register_duty("test.one", function, every=every)


class Stop:
    """Tells a loop to stop after some rounds."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    def wait(self, seconds: float) -> bool:
        self.rounds -= 1
        return self.rounds < 0


def test_a_worker_looks_after_them_beside_the_reaper(called: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def reap() -> None:
        called.append("reap")
        raise RuntimeError

    monkeypatch.setattr(automate_worker, "reap", reap)
    command: Any = automate_worker.Command(stderr=StringIO())
    automate_worker._look_after(Stop(2), command)  # type: ignore[arg-type]
    assert called == ["reap", "fails", "often", "seldom", "reap"]


@pytest.mark.django_db(transaction=True)
def test_reap_jobs_calls_all_of_them_once(called: list[str]) -> None:
    call_command("reap_jobs", stdout=StringIO())
    assert called == ["fails", "often", "seldom"]


@pytest.mark.django_db(transaction=True)
def test_reap_jobs_goes_on_calling_them(called: list[str]) -> None:
    def stop() -> None:
        if called.count("stop"):
            raise KeyboardInterrupt
        called.append("stop")

    register_duty("test.stop", stop, every=0)
    with pytest.raises(KeyboardInterrupt):
        call_command("reap_jobs", stdout=StringIO(), every=0.001)
    assert called == ["fails", "often", "seldom", "stop"]
