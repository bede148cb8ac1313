"""What every test of workflows needs."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from django.utils.module_loading import import_string

from tests.jobs.fixtures import asked  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def _own_plans() -> Iterator[None]:
    """No test finds the plan of another's version: one that was rolled back leaves its id to the next."""
    # This module is imported before Django is ready.
    yield
    import_string("automate.services.plans._plan").cache_clear()


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], Awaitable[Any]]], None]:
    """Registers the step `test.written`, which does what the test says: `script(ctx)` is an asynchronous function."""
    written_step = import_string("tests.automate.making.WrittenStep")

    def written(script: Callable[[Any], Awaitable[Any]]) -> None:
        monkeypatch.setattr(written_step, "script", staticmethod(script), raising=False)
        registry = import_string("automate.steps.base._registry")
        monkeypatch.setitem(registry, written_step.type, written_step())

    return written
