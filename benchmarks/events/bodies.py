"""What is sent: the same to everybody."""

from collections.abc import Callable
from typing import Any

BATCH = 1000
#: The types of events that nobody waits for, and that one handler does.
PLAIN, HANDLED = "order.paid", "order.handled"

#: Makes the body of the request with this number.
Body = Callable[[int], Any]


def with_keys(number: int) -> list[dict[str, Any]]:
    """A batch of events that were never sent before."""
    return [event(place) | _key(place) for place in _places(number * BATCH)]


def half_duplicates(number: int) -> list[dict[str, Any]]:
    """A batch of which one half was sent in the request before, every other event."""
    before, new = (_places((number + more) * (BATCH // 2), BATCH // 2) for more in (0, 1))
    return [event(place) | _key(place) for pair in zip(before, new, strict=True) for place in pair]


def without_keys(number: int) -> list[dict[str, Any]]:
    """A batch of events that nobody would know again."""
    return [event(place) for place in _places(number * BATCH)]


def handled(number: int) -> list[dict[str, Any]]:
    """The batch of `with_keys`, whose type has a handler."""
    return [sent | {"type": HANDLED} for sent in with_keys(number)]


def single(number: int) -> dict[str, Any]:
    """One event with a key."""
    return event(number) | _key(number)


def event(place: int) -> dict[str, Any]:
    """An event of the usual kind: some 300 bytes."""
    return {
        "type": PLAIN,
        "source": f"shop-{place % 7}",
        "payload": {
            "order": place,
            "total": "129.90",
            "currency": "EUR",
            "customer": {"id": place % 1000, "name": "Ada Lovelace", "country": "GB"},
            "lines": [{"sku": f"A-{place % 100}", "quantity": 2, "price": "64.95"}],
            "express": place % 2 == 0,
        },
        "occurred_at": f"2026-01-02T03:{place // 60 % 60:02}:{place % 60:02}.678901Z",
    }


def _key(place: int) -> dict[str, str]:
    return {"idempotency_key": f"order-{place:012}"}


def _places(first: int, number: int = BATCH) -> range:
    return range(first, first + number)
