"""Limits of a minute, in a minute that does not end."""

import time
from types import SimpleNamespace

import pytest
from django_ratelimit import core

from automate_api.security import limits


@pytest.fixture(autouse=True)
def _one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count all requests of a test in one window."""
    now = time.time()
    for module in (core, limits):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: now))
