"""`on_event` registers handlers under names that every process knows."""

from collections.abc import AsyncGenerator, Iterator
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from automate_api import events
from automate_api.events import at_depth, depth, handlers_for, handlers_wanting, on_event, path_of


@pytest.fixture(autouse=True)
def none_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_registry", {})


def first(event: Any) -> None:
    """A handler."""


def second(event: Any) -> None:
    """A handler."""


class Handlers:
    """Some keep them in a class."""

    @staticmethod
    def third(event: Any) -> None:
        """A handler."""


async def asynchronous(event: Any) -> None:
    """Nobody would await it."""


async def generating(event: Any) -> AsyncGenerator[None, None]:
    yield


@pytest.mark.parametrize(
    ("wanted", "type_", "is_wanted"),
    [
        ("order.paid", "order.paid", True),
        ("order.paid", "order.paid.late", False),
        ("order.paid", "order", False),
        ("order.*", "order.paid", True),
        ("order.*", "order.paid.late", True),
        ("order.*", "order", False),
        ("order.*", "orders.paid", False),
        ("order.*", "Order.paid", False),
        ("order/*", "order/paid", True),
        ("*", "anything", True),
    ],
)
def test_a_handler_is_for_exact_types_and_beginnings(wanted: str, type_: str, is_wanted: bool) -> None:
    assert on_event(wanted)(first) is first
    assert handlers_for(type_) == ([first] if is_wanted else [])


def test_handlers_are_called_in_the_order_of_their_registration_and_once() -> None:
    on_event("order.paid", "order.*")(second)
    on_event("order.paid")(first)
    on_event("order.paid", "*")(second)
    assert handlers_for("order.paid") == [second, first]
    assert handlers_for("else") == [second]


def test_a_module_that_is_loaded_again_replaces_its_handlers() -> None:
    on_event("a")(first)
    again = type(first)(first.__code__, {}, "first")
    again.__module__, again.__qualname__ = first.__module__, first.__qualname__
    on_event("a")(again)
    assert handlers_for("a") == [again]


def test_a_handler_in_a_class_has_a_path_too() -> None:
    assert path_of(Handlers.third) == f"{__name__}.Handlers.third"


def handlers_without_a_name() -> Iterator[Any]:
    def nested(event: Any) -> None:
        """Another each time."""

    yield from (nested, lambda event: None, partial(first), object(), asynchronous, generating)


@pytest.mark.parametrize("handler", list(handlers_without_a_name()))
def test_what_no_other_process_would_find_is_refused(handler: Any) -> None:
    with pytest.raises(ImproperlyConfigured):
        on_event("a")(handler)
    assert handlers_for("a") == []


@pytest.mark.parametrize(
    "types", [(), ("",), ("a b",), ("a", "*b"), ("a*b",), (".a",), ("a\n",), ("**",), ("x" * 201,), ("é",), ("-*",)]
)
def test_what_is_no_type_is_refused(types: tuple[str, ...]) -> None:
    with pytest.raises(ImproperlyConfigured):
        on_event(*types)(first)


# -- what is wanted --------------------------------------------------------------------------------------------------


def test_a_handler_is_asked_once_which_of_its_types_it_wants_in_a_tenant() -> None:
    asked: list[tuple[str, set[str]]] = []

    def wanted(tenant_id: str, types: set[str]) -> set[str]:
        asked.append((tenant_id, set(types)))
        types.clear()
        return {"order.paid", "else"}

    on_event("order.*", wanted=wanted)(first)
    on_event("order.paid", "note")(second)
    found = handlers_wanting(["order.paid", "order.late", "else", "note"], tenant_id="acme")
    assert asked == [("acme", {"order.paid", "order.late"})]
    assert found == {"order.paid": [first, second], "note": [second]}


def test_a_handler_is_not_asked_of_what_is_none_of_its_types() -> None:
    on_event("order.*", wanted=lambda tenant_id, types: pytest.fail("asked"))(first)
    assert handlers_wanting(["else"], tenant_id="acme") == {}


def test_where_what_is_wanted_cannot_be_told_all_is(caplog: pytest.LogCaptureFixture) -> None:
    def wanted(tenant_id: str, types: set[str]) -> set[str]:
        raise RuntimeError("the password is hunter2")

    on_event("*", wanted=wanted)(first)
    on_event("b", wanted=lambda tenant_id, types: None)(second)  # type: ignore[arg-type, return-value]
    assert handlers_wanting(["a", "b"], tenant_id="acme") == {"a": [first], "b": [first, second]}
    assert "RuntimeError" in caplog.text
    assert "hunter2" not in caplog.text


# -- depth -----------------------------------------------------------------------------------------------------------


def test_a_depth_is_that_of_what_happens_inside() -> None:
    with at_depth(1):
        with pytest.raises(RuntimeError), at_depth(2):
            raise RuntimeError
        assert depth.get() == 1
    assert depth.get() == 0
