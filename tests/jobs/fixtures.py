"""Fixtures for whoever tests jobs in the test's own process."""

from collections.abc import AsyncGenerator, Callable

import pytest
from pytest_django import Settings

from automate_api.engine import capability
from automate_api.engine.capability import RunContext
from automate_api.engine.events import RunEvent
from tests.jobs.making import NotingDispatcher, Written

Script = Callable[[RunContext], AsyncGenerator[RunEvent, None]]


@pytest.fixture
def asked(settings: Settings) -> list[tuple[object, float]]:
    """What the dispatcher was asked; nobody works unless the test does."""
    settings.AUTOMATE_API_JOB_DISPATCHER = "tests.jobs.making.NotingDispatcher"
    settings.AUTOMATE_API_JOB_JITTER = 0
    NotingDispatcher.asked.clear()
    return NotingDispatcher.asked  # type: ignore[return-value]


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Callable[[Script], None]:
    """Registers the capability `test.written`, which does what the test says."""

    def written(script: Script) -> None:
        monkeypatch.setattr(Written, "script", staticmethod(script), raising=False)
        monkeypatch.setitem(capability._registry, Written.task_type, Written())

    return written
