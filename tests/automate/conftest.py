"""What every test of workflows needs."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.utils.module_loading import import_string

from tests.jobs.fixtures import asked  # noqa: F401 - a fixture


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], Awaitable[Any]]], None]:
    """Registers the step `test.written`, which does what the test says: `script(ctx)` is an asynchronous function."""
    # This module is imported before Django is ready.
    written_step = import_string("tests.automate.making.WrittenStep")

    def written(script: Callable[[Any], Awaitable[Any]]) -> None:
        monkeypatch.setattr(written_step, "script", staticmethod(script), raising=False)
        registry = import_string("automate.steps.base._registry")
        monkeypatch.setitem(registry, written_step.type, written_step())

    return written
