"""Duties: what apps have a worker's process look after beside jobs, such as schedules.

`automate_worker` calls them beside the reaper, about once a second, and so does `reap_jobs`, which stands beside
workers of another kind.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections

from automate_api.security.redaction import forget_revealed, redact_exception

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Duty:
    """A function, and the seconds from one call to the next."""

    name: str
    function: Callable[[], Any]
    every: float


_registry: dict[str, Duty] = {}


def register_duty(name: str, function: Callable[[], Any], *, every: float) -> None:
    """Have `function` called again and again in each process that looks after jobs, in `AppConfig.ready()`.

    It is called about `every` seconds after its last call began, or later: while another is called, or where
    `reap_jobs --every` says more. Several processes do so at once, and none may be there for a while, so it looks in
    the database for what is due, and takes that as one of many would. Let it be short: the reaper waits meanwhile. What
    it raises is logged, and it is called again next time.

    Args:
        name: what the log calls it; begin it with the app's label.
        function: takes nothing; may use the ORM.
        every: seconds.

    Raises:
        ImproperlyConfigured: something else is registered by this name.
    """
    duty = Duty(name, function, every)
    if _registry.setdefault(name, duty) != duty:
        raise ImproperlyConfigured(f"Two duties are registered as {name!r}.")


class Rounds:
    """The rounds of one process: which duties it has begun, and when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._begun = clock, dict[str, float]()

    def go(self) -> None:
        """Call the duties that are due, at first all of them, and keep no stale connection."""
        for duty in list(_registry.values()):
            now = self._clock()
            if now - self._begun.get(duty.name, float("-inf")) >= duty.every:
                self._begun[duty.name] = now
                _call(duty)


def _call(duty: Duty) -> None:
    try:
        duty.function()
    except Exception as exc:  # noqa: BLE001 - an app's function raises anything, and keeps nobody else from being called
        logger.error("The duty %r has failed: %s", duty.name, redact_exception(exc))
    finally:
        forget_revealed()
        close_old_connections()
