"""Leases of this process: what it is at work on is renewed while it lives, and is free soon after it has died."""

import logging
import os
import threading
from datetime import timedelta
from typing import Any, Protocol
from weakref import WeakSet

from django.db import connections
from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.functions import Now

logger = logging.getLogger(__name__)

#: Seconds for which a lease holds, and seconds between its renewals.
LEASE, HEARTBEAT = 30.0, 10.0


def lease_end(seconds: float = LEASE) -> "ExpressionWrapper[Any]":
    """When a lease taken now runs out, by the database's clock."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())


class Lease(Protocol):
    """Something held for a while."""

    def renew(self) -> bool:
        """Hold it for another `LEASE` seconds; False where it is no longer held."""


class LeaseKeeper:
    """Renews leases in a thread of its own, which begins with the first.

    It refers to them weakly: a lease that nobody works on any more, since the client left and the response was
    dropped, say, is not renewed.
    """

    def __init__(self) -> None:
        self._leases: WeakSet[Any] = WeakSet()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def keep(self, lease: Lease) -> None:
        """Renew `lease` until it is dropped or no longer referred to."""
        with self._changed:
            self._leases.add(lease)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="automate-leases", daemon=True)
                self._thread.start()
            self._changed.notify()

    def drop(self, lease: Lease) -> None:
        """Renew it no longer."""
        with self._changed:
            self._leases.discard(lease)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._leases:
                    self._changed.wait()
                self._changed.wait(HEARTBEAT)
                held = list(self._leases)
            self.renew(held)
            del held

    def renew(self, leases: list[Any]) -> None:
        """Renew each of them now; those that are no longer held are dropped."""
        try:
            for lease in leases:
                if not lease.renew():
                    self.drop(lease)
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
