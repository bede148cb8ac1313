"""Fixtures of whoever tests workflows."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from automate.steps import StepContext, base
from tests.automate.making import WrittenStep
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture

Script = Callable[[StepContext], Awaitable[Any]]


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Callable[[Script], None]:
    """Registers the step `test.written`, which does what the test says."""

    def written(script: Script) -> None:
        monkeypatch.setattr(WrittenStep, "script", staticmethod(script), raising=False)
        monkeypatch.setitem(base._registry, WrittenStep.type, WrittenStep())

    return written
