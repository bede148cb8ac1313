"""What a host does when an event comes in.

`on_event` registers a handler. A worker calls it with the stored `Event`, once for each event, in a transaction that
also notes that it was called. A handler is known by its dotted path: rename it, and it is another one.
"""

import inspect
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured

logger = logging.getLogger(__name__)

Handler = Callable[[Any], Any]
#: Of a tenant and of types of events: those of the types that a handler wants there.
Wanted = Callable[[str, set[str]], set[str]]
H = TypeVar("H", bound=Handler)

#: What an event's type is; also the part of a pattern before its `*`.
TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,199}")

#: How the sources of this package's own events begin. Callers of `events/` cannot send from such a one.
RESERVED = "automate:"


@dataclass(slots=True)
class _Registered:
    """A handler, the types it is registered for, the beginnings of types, and what narrows them in a tenant."""

    handler: Handler
    types: set[str] = field(default_factory=set)
    beginnings: set[str] = field(default_factory=set)
    wanted: Wanted | None = None

    def is_for(self, event_type: str) -> bool:
        return event_type in self.types or event_type.startswith(tuple(self.beginnings))

    def wants(self, types: set[str], tenant_id: str) -> set[str]:
        mine = {name for name in types if self.is_for(name)}
        return mine & _asked(self.wanted, tenant_id, mine) if mine and self.wanted else mine


def _asked(wanted: Wanted, tenant_id: str, types: set[str]) -> set[str]:
    try:
        return set(wanted(tenant_id, set(types)))
    except Exception as exc:  # noqa: BLE001 - a handler that is called in vain is better than an event that is lost
        # Never in the exception's words, which may quote anything.
        logger.error("Which events %s wants could not be told, so it gets all: %s", wanted, type(exc).__name__)
        return types


_registry: dict[str, _Registered] = {}

#: How many runs of workflows led to what happens now. Jobs and events that are made meanwhile keep it, and what a job
#: does is done at its own depth. Read it; `at_depth()` sets it.
depth: ContextVar[int] = ContextVar("automate_api.events.depth", default=0)


@contextmanager
def at_depth(runs: int) -> Iterator[None]:
    """What happens inside, `runs` runs of workflows led to; also in threads and tasks that are begun there."""
    token = depth.set(runs)
    try:
        yield
    finally:
        depth.reset(token)


def on_event(*types: str, wanted: Wanted | None = None) -> Callable[[H], H]:
    """Register a function of one argument, the `Event`, for events of these types; a decorator.

    Args:
        types: each a type, as in `"order.paid"`, or the beginning of types and a `*`, as in `"order.*"` or `"*"`.
        wanted: `(tenant_id, types) -> types`, which narrows the types of the handler's that have come to those it wants
            in the tenant. It is asked once for each request and again before handlers are called, and may use the
            ORM. Where nobody wants anything no job is made. Where it raises, the handler gets all.

    Raises:
        ImproperlyConfigured: a type is none, or the function has no name by which another process would find it.
    """
    beginnings = {name.removesuffix("*") for name in types if name.endswith("*")}
    exact = {name for name in types if not name.endswith("*")}
    wrong = [name for name in exact | beginnings - {""} if not TYPE.fullmatch(name)]
    if wrong or not types:
        raise ImproperlyConfigured(f"on_event() takes types of events, such as 'order.paid' and 'order.*': {wrong}")

    def register(handler: H) -> H:
        path = path_of(handler)
        registered = _registry.setdefault(path, _Registered(handler))
        registered.handler = handler
        registered.types |= exact
        registered.beginnings |= beginnings
        registered.wanted = wanted or registered.wanted
        return handler

    return register


def handlers_for(event_type: str) -> list[Handler]:
    """The handlers of events of this type, in the order in which they were registered first."""
    return [registered.handler for registered in _registry.values() if registered.is_for(event_type)]


def handlers_wanting(types: Iterable[str], *, tenant_id: str) -> dict[str, list[Handler]]:
    """The handlers that want events of these types in the tenant, by type, in the order of their first registration.

    A type that nobody wants is not among the keys. Each handler that narrows what it wants is asked once.
    """
    asked, found = set(types), dict[str, list[Handler]]()
    for registered in _registry.values():
        for name in registered.wants(asked, tenant_id):
            found.setdefault(name, []).append(registered.handler)
    return found


def path_of(handler: Handler) -> str:
    """The dotted path by which a handler is known.

    Raises:
        ImproperlyConfigured: it has none that stays, as a lambda or a function within a function; or it is
            asynchronous, and nobody would await it.
    """
    module, name = getattr(handler, "__module__", None), getattr(handler, "__qualname__", None)
    if not module or not name or "<" in name:
        raise ImproperlyConfigured(f"A handler of events is a function at the top of a module, not {handler!r}.")
    if inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler):
        raise ImproperlyConfigured(f"A handler of events is not asynchronous: {module}.{name}.")
    return f"{module}.{name}"
