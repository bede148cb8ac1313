"""Values in which expressions stand: what they give in a run, and what they never do."""

from typing import Any

import pytest

from automate.graph.leaves import MOST_CHARACTERS
from automate.graph.values import MOST_LEVELS, InvalidValue, ValueFailed, compile_value
from automate.rules import RuleError, Type

SCOPE: dict[str, Any] = {
    "event": {"payload": {"n": 2, "text": "ho", "items": [{"sku": "a"}, {"sku": "b"}], "trick": {"cel": "1 + 1"}}},
    "steps": {"ask": {"output": None, "status": "failed", "error": {"code": "rejected", "detail": ""}}},
}


@pytest.mark.parametrize(
    ("raw", "resolved"),
    [
        (None, None),
        ({}, {}),
        ([1, "x", {"a": None}], [1, "x", {"a": None}]),
        ({"cel": "event.payload.n * 2"}, 4),
        ({"a": [{"cel": "event.payload.text + '!'"}, "{{ event }}"]}, {"a": ["ho!", "{{ event }}"]}),
        ({"cel": "event.payload.items.map(i, i.sku)"}, ["a", "b"]),
        ({"cel": "{'a': 1.5, 'b': null}"}, {"a": 1.5, "b": None}),
        ({"path": "$.event.payload.items[-1].sku"}, "b"),
        ({"path": "$.steps.ask.error"}, {"code": "rejected", "detail": ""}),
        ({"value": {"cel": "1 +"}}, {"cel": "1 +"}),
        ({"value": {"value": {"path": 1}}}, {"value": {"path": 1}}),
        ({"cel": "1", "path": "$"}, {"cel": "1", "path": "$"}),
        ({"a": {"value": 1}, "b": [{"value": None}]}, {"a": 1, "b": [None]}),
    ],
)
def test_expressions_are_resolved_wherever_they_stand(raw: Any, resolved: Any) -> None:
    assert compile_value(raw).resolve(SCOPE) == resolved


@pytest.mark.parametrize("raw", [{"path": "$.event.payload.trick"}, {"cel": "event.payload.trick"}])
def test_what_an_expression_gives_is_never_one_itself(raw: Any) -> None:
    assert compile_value([raw]).resolve(SCOPE) == [{"cel": "1 + 1"}]


@pytest.mark.parametrize(
    ("raw", "path", "code"),
    [
        ({"a": [1, {"cel": "1 +"}]}, ("a", 1), "invalid_expression"),
        ({"cel": ["1"]}, (), "invalid_expression"),
        ({"a": {"path": "event"}}, ("a",), "invalid_path"),
        ({"a": {"path": None}}, ("a",), "invalid_expression"),
        ({"secret": "shop"}, (), "secret_not_allowed"),
        ({"cel": "x" * 5_000}, (), "invalid_expression"),
    ],
)
def test_an_expression_that_can_never_be_right_is_refused_where_it_stands(raw: Any, path: Any, code: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        compile_value(raw)
    (fault,) = caught.value.faults
    assert (fault.path, fault.code) == (path, code)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidValue) as caught:
        compile_value([{"cel": "1 +"}, {"path": "x"}, {"secret": "not a name"}], secrets=True)
    assert [fault.path for fault in caught.value.faults] == [(0,), (1,), (2,)]


def test_a_value_is_nested_so_deep_and_no_deeper() -> None:
    raw: Any = {"cel": "1"}
    for _level in range(MOST_LEVELS - 1):
        raw = [raw]
    assert compile_value(raw).resolve({}) == eval("[" * (MOST_LEVELS - 1) + "1" + "]" * (MOST_LEVELS - 1))
    with pytest.raises(InvalidValue):
        compile_value([[raw]])


@pytest.mark.parametrize(
    ("raw", "kind", "place", "words"),
    [
        ({"a": [{"cel": "event.payload.nothing"}]}, "no_such_key", "a.0", "nothing"),
        ({"a": {"path": "$.event.payload.items[2].sku"}}, "no_such_node", "a", "$.event.payload.items[2]"),
        ({"cel": "1 / (event.payload.n - 2)"}, "division_by_zero", "", ""),
        ({"cel": "nobody"}, "undeclared", "", "nobody"),
        ({"path": "$.steps.ask.output.text"}, "no_such_node", "", "$.steps.ask.output.text"),
    ],
)
def test_an_expression_without_a_value_says_where_it_stands_and_why(
    raw: Any, kind: str, place: str, words: str
) -> None:
    with pytest.raises(ValueFailed) as caught:
        compile_value(raw).resolve(SCOPE)
    assert (caught.value.kind, caught.value.place) == (kind, place)
    assert words in caught.value.detail


def test_expressions_cannot_multiply_what_they_are_given() -> None:
    scope = {"event": {"payload": {"text": "x" * 200_000, "list": list(range(20_000))}}}
    several: list[Any] = [[{"path": "$.event.payload.text"}] * 6, [{"cel": "event.payload.list"}] * 20]
    for raw in several:
        assert compile_value(raw[:1]).resolve(scope)
        with pytest.raises(ValueFailed) as caught:
            compile_value(raw).resolve(scope)
        assert caught.value.kind in {"too_large", "too_costly"}
    assert MOST_CHARACTERS < 6 * 200_000


def test_a_secret_stands_in_a_value_only_for_whoever_brings_it() -> None:
    value = compile_value(
        {"Authorization": {"secret": "shop"}, "X-N": {"cel": "string(event.payload.n)"}}, secrets=True
    )
    assert value.resolve(SCOPE) == {"Authorization": "[secret shop]", "X-N": "2"}
    assert value.resolve(SCOPE, secrets={"shop": "s3cret"}) == {"Authorization": "s3cret", "X-N": "2"}
    with pytest.raises(ValueFailed) as caught:
        value.resolve(SCOPE, secrets={})
    assert (caught.value.kind, caught.value.place) == ("no_such_secret", "Authorization")


def test_a_value_knows_its_names() -> None:
    value = compile_value(
        [{"cel": "steps.ask.output.a + event['type']"}, {"path": "$.event.payload[0].x"}, {"path": "$"}]
    )
    assert value.names == {("steps", "ask", "output", "a"), ("event", "type"), ("event", "payload")}


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ({"cel": "size('x') + 1"}, Type.INT),
        ({"cel": "event.payload"}, Type.DYN),
        ({"path": "$.event"}, Type.DYN),
        ({"value": True}, Type.BOOL),
        ([{"cel": "1"}], Type.LIST),
        ({"a": {"cel": "1"}}, Type.MAP),
        ({}, Type.MAP),
        (None, Type.NULL),
        (1.5, Type.DOUBLE),
    ],
)
def test_a_value_knows_its_type_as_far_as_that_is_known(raw: Any, kind: Type) -> None:
    assert compile_value(raw).type_of({"event": Type.MAP}) is kind


def test_a_value_of_no_type_is_refused() -> None:
    with pytest.raises(RuleError):
        compile_value({"cel": "'a' - 1"}).type_of({})
