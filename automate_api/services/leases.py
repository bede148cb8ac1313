"""Leases of this process: what it is at work on is renewed while it lives, and is free soon after it has died."""

import logging
import os
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol
from weakref import WeakSet

from django.db import connections
from django.db.models import DateTimeField, ExpressionWrapper

from automate_api.conf import settings
from automate_api.models.now import Now

logger = logging.getLogger(__name__)

# Leases that are renewed by one statement.
_BATCH = 500


def lease_end() -> "ExpressionWrapper[Any]":
    """When a lease taken now runs out, by the database's clock."""
    return from_now(settings.lease)


def from_now(seconds: float) -> "ExpressionWrapper[Any]":
    """So many seconds from now, by the database's clock."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())


class Lease(Protocol):
    """Something held for a while."""

    @classmethod
    def renew_all(cls, leases: Sequence[Any]) -> None:
        """Hold them for another `AUTOMATE_API_LEASE` seconds, in one statement; what is no longer held stays lost."""


class LeaseKeeper:
    """Renews leases in a thread of its own, which begins with the first and sleeps while there are none.

    It refers to them weakly: a lease that nobody works on any more, since the client left and the response was
    dropped, say, is not renewed.
    """

    def __init__(self) -> None:
        self._leases: WeakSet[Any] = WeakSet()
        self._lock, self._wanted = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    def keep(self, lease: Lease) -> None:
        """Renew `lease` until it is dropped or no longer referred to."""
        with self._lock:
            self._leases.add(lease)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="automate-leases", daemon=True)
                self._thread.start()
            self._wanted.set()

    def drop(self, lease: Lease) -> None:
        """Renew it no longer."""
        with self._lock:
            self._leases.discard(lease)

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            time.sleep(settings.heartbeat)
            self.renew()

    def renew(self) -> None:
        """Renew all that is held now."""
        with self._lock:
            held = list(self._leases)
            if not held:
                self._wanted.clear()
        try:
            for kind in {type(lease) for lease in held}:
                mine = [lease for lease in held if type(lease) is kind]
                for start in range(0, len(mine), _BATCH):
                    kind.renew_all(mine[start : start + _BATCH])
        except Exception as exc:  # noqa: BLE001 - a thread that ends here would renew nothing any more
            # The next heartbeat tries again; a lease outlives two of them.
            logger.error("Leases could not be renewed: %s", type(exc).__name__)
        finally:
            connections.close_all()


keeper = LeaseKeeper()


def _begin_anew() -> None:
    # A child of a fork holds nothing, and has no thread.
    global keeper
    keeper = LeaseKeeper()


os.register_at_fork(after_in_child=_begin_anew)
