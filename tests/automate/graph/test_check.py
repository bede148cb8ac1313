"""Definitions are checked when they are saved: what is right is accepted, what is wrong is named."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automate.graph.check import check_definition
from automate.graph.findings import MOST_ERRORS, MOST_EXPRESSIONS, MOST_RULE_CHARACTERS
from automate.graph.schema import MOST_STEPS
from automate.steps import Step, get_step_type
from tests.automate.graphs import Faulty, definitions, faulty_definitions

Found = list[tuple[str, str]]

SET: dict[str, Any] = {"type": "set", "with": {"values": {}}}
CALL: dict[str, Any] = {"type": "http", "with": {"method": "GET", "url": "https://shop.example"}}


def found_in(definition: Any, **kwargs: Any) -> Found:
    """Where and what; fields begin with `d`."""
    errors = check_definition(definition, types=get_step_type, field="d", **kwargs)
    assert all(error.detail for error in errors)
    return [(error.field, error.code) for error in errors]


def steps(**named: dict[str, Any]) -> dict[str, Any]:
    """A definition with these steps, each `set` where it does not say otherwise."""
    return {"steps": [{"name": name, **SET, **step} for name, step in named.items()]}


def with_values(**values: Any) -> dict[str, Any]:
    """A definition of a step that calls, one after it that sets these values, and one beside that."""
    return steps(call={**CALL, "next": ["here", "aside"]}, here={"with": {"values": values}}, aside={})


def each(body: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"type": "for_each", "with": {"items": [1], "steps": body, **more}}


@given(definitions())
@settings(max_examples=40, deadline=None)
def test_a_definition_in_which_nothing_is_wrong_is_accepted(definition: dict[str, Any]) -> None:
    assert found_in(definition) == []


@given(faulty_definitions())
@settings(max_examples=80, deadline=None)
def test_a_fault_is_named_with_the_step_it_is_of(faulty: Faulty) -> None:
    found = found_in(faulty.definition)
    assert any(code == faulty.code and f".{faulty.step}" in field for field, code in found), found


def test_the_order_of_the_steps_says_only_where_a_run_begins() -> None:
    assert found_in(steps(a={"next": ["c"]}, b={}, c={"next": ["b"]})) == []


FAULTS: list[tuple[dict[str, Any], Found]] = [
    # The frame.
    ({}, [("d.steps", "required")]),
    ({"steps": []}, [("d.steps", "minItems")]),
    ({**steps(a={}), "step": 1}, [("d.step", "unknown_field")]),
    ({**steps(a={}), "condition": 5}, [("d.condition", "type")]),
    ({**steps(a={}), "condition": "event.n"}, [("d.condition", "unknown_name")]),
    ({**steps(a={}), "condition": "steps.a.status == ''"}, [("d.condition", "unknown_name")]),
    ({**steps(a={}), "condition": "run.depth > 1"}, [("d.condition", "unknown_name")]),
    ({**steps(a={}), "condition": "1 + 1"}, [("d.condition", "wrong_type")]),
    ({**steps(a={}), "condition": "1 +"}, [("d.condition", "invalid_expression")]),
    ({**steps(a={}), "input_schema": {"type": "nonsense"}}, [("d.input_schema.type", "invalid_schema")]),
    ({**steps(a={}), "output": [{"cel": "steps.b.output"}]}, [("d.output.0", "unknown_name")]),
    # Steps and the ways between them.
    (steps(A={}), [("d.steps.0.name", "pattern")]),
    ({"steps": [SET]}, [("d.steps.0.name", "required")]),
    ({"steps": ["a"]}, [("d.steps.0", "type")]),
    (steps(a={"type": "nonsense"}), [("d.steps.a.type", "unknown_type")]),
    (steps(a={"retries": 11}), [("d.steps.a.retries", "maximum")]),
    (steps(a={"next": ["b"]}), [("d.steps.a.next.0", "unknown_step")]),
    (steps(a={"next": ["a"]}), [("d.steps.a", "cycle")]),
    (
        steps(a={"next": ["b"]}, b={"on_error": "c"}, c={"next": ["b"]}),
        [("d.steps.b", "cycle"), ("d.steps.c", "cycle")],
    ),
    (steps(a={}, b={"next": ["c"]}, c={}), [("d.steps.b", "unreachable"), ("d.steps.c", "unreachable")]),
    (steps(a={"next": ["b", "b"]}, b={}), [("d.steps.a.next", "uniqueItems")]),
    (
        steps(a={"type": "branch", "with": {"cases": [{"when": "true", "next": "x"}], "otherwise": "y"}}),
        [("d.steps.a.with.cases.0.next", "unknown_step"), ("d.steps.a.with.otherwise", "unknown_step")],
    ),
    (
        steps(a={"type": "branch", "with": {"cases": [{"when": "true", "next": "b"}]}, "next": ["b"]}, b={}),
        [("d.steps.a.next", "not_allowed")],
    ),
    (
        {"steps": [{"name": "a", **SET, "next": ["b"]}, {"name": "b", **SET}, {"name": "b", **SET}]},
        [("d.steps.b.name", "duplicate_name"), ("d.steps.b", "unreachable")],
    ),
    # Settings.
    (steps(a={"with": {}}), [("d.steps.a.with.values", "required")]),
    (steps(a={"with": {"values": {}, "more": {"cel": "1"}}}), [("d.steps.a.with.more", "unknown_field")]),
    (steps(a={"with": {"cel": "event.payload"}}), [("d.steps.a.with.cel", "unknown_field"), *[]]),
    (steps(a={**CALL, "with": {"method": {"cel": "'GET'"}, "url": "https://x"}}), [("d.steps.a.with.method", "enum")]),
    (steps(a={**CALL, "with": {"method": "GET", "url": {"cel": "1 + 2"}}}), [("d.steps.a.with.url", "type")]),
    (steps(a={**CALL, "with": {"method": "GET", "url": {"value": 5}}}), [("d.steps.a.with.url", "type")]),
    (
        steps(a={**CALL, "with": {"method": "GET", "url": "https://x", "headers": {"n": {"cel": "[1]"}}}}),
        [("d.steps.a.with.headers.n", "type")],
    ),
    (
        steps(a={"type": "branch", "with": {"cases": [{"when": "'yes'", "next": "b"}]}}, b={}),
        [("d.steps.a.with.cases.0.when", "wrong_type")],
    ),
    (
        steps(a={"type": "wait", "with": {"event": {"type": "t", "where": "received.n == evnt.n"}}}),
        [("d.steps.a.with.event.where", "unknown_name")],
    ),
    (steps(a={"type": "wait", "with": {"seconds": 1, "until": {"cel": "event.type"}}}), [("d.steps.a.with", "oneOf")]),
    # Expressions.
    (with_values(a=[{"cel": "1 +"}]), [("d.steps.here.with.values.a.0", "invalid_expression")]),
    (with_values(a={"cel": "event.type + 1"}), [("d.steps.here.with.values.a", "invalid_expression")]),
    (with_values(a={"cel": 5}), [("d.steps.here.with.values.a", "invalid_expression")]),
    (with_values(a={"path": "/tmp"}), [("d.steps.here.with.values.a", "invalid_path")]),
    (with_values(a={"path": "$.event.nothing"}), [("d.steps.here.with.values.a", "unknown_name")]),
    (with_values(a={"path": "$['steps']['aside'].output[0]"}), [("d.steps.here.with.values.a", "not_ended")]),
    (with_values(a={"cel": "nothing"}), [("d.steps.here.with.values.a", "unknown_name")]),
    (with_values(a={"cel": "steps.here.output"}), [("d.steps.here.with.values.a", "not_ended")]),
    (with_values(a={"cel": "has(steps.aside.output)"}), [("d.steps.here.with.values.a", "not_ended")]),
    (with_values(a={"cel": "steps['call'].result"}), [("d.steps.here.with.values.a", "unknown_name")]),
    (with_values(a={"cel": "steps.call.output.status.code"}), [("d.steps.here.with.values.a", "unknown_name")]),
    (with_values(a={"cel": "steps.call.output.status + 'x'"}), [("d.steps.here.with.values.a", "invalid_expression")]),
    (with_values(a={"cel": "steps.call.output.boddy"}), [("d.steps.here.with.values.a", "unknown_name")]),
    (with_values(a={"cel": "event.type.matches('[')"}), [("d.steps.here.with.values.a", "invalid_expression")]),
    (with_values(a={"cel": "timestamp('today')"}), [("d.steps.here.with.values.a", "invalid_expression")]),
    (with_values(a={"cel": "steps.call.error.message"}), [("d.steps.here.with.values.a", "unknown_name")]),
    (with_values(a={"cel": "item"}), [("d.steps.here.with.values.a", "unknown_name")]),
    (with_values(a={"secret": "shop"}), [("d.steps.here.with.values.a", "secret_not_allowed")]),
    # What can be told of a text that is written out.
    (steps(a={"type": "http", "with": {"url": "shop.example/x"}}), [("d.steps.a.with.url", "pattern")]),
    (steps(a={"type": "wait", "with": {"until": "tomorrow"}}), [("d.steps.a.with.until", "pattern")]),
    # Bodies.
    (steps(a=each([])), [("d.steps.a.with.steps", "minItems")]),
    (steps(a=each([{"name": "a", **SET}])), [("d.steps.a.with.steps.a.name", "duplicate_name")]),
    (steps(a=each([{"name": "b", **SET, "next": ["a"]}])), [("d.steps.a.with.steps.b.next.0", "unknown_step")]),
    (
        steps(a=each([{"name": "b", **SET}], output={"cel": "steps.c.output"})),
        [("d.steps.a.with.output", "unknown_name")],
    ),
    (
        steps(a=each([{"name": "b", "type": "set", "with": {"values": {"x": {"cel": "steps.a.output"}}}}])),
        [("d.steps.a.with.steps.b.with.values.x", "not_ended")],
    ),
    (
        steps(a=each([{"name": "b", "type": "set", "with": {"values": {"x": {"cel": "index + 'x'"}}}}])),
        [("d.steps.a.with.steps.b.with.values.x", "invalid_expression")],
    ),
    (
        steps(a=each([{"name": "b", **each([{"name": "c", **each([{"name": "e", **SET}])}])}])),
        [("d.steps.a.with.steps.b.with.steps.c.with.steps", "too_deep")],
    ),
    (steps(a=each([{"name": "b", **SET}], items={"cel": "item"})), [("d.steps.a.with.items", "unknown_name")]),
]


@pytest.mark.parametrize(("definition", "expected"), FAULTS)
def test_each_fault_has_its_field_and_its_code(definition: dict[str, Any], expected: Found) -> None:
    found = found_in(definition)
    assert [error for error in expected if error not in found] == [], found
    consequences = {"d.steps", "d.steps.a.with.values", "d.steps.b", "d.steps.a"}
    assert {field for field, _code in found} - {field for field, _code in expected} <= consequences


RIGHT = [
    {**steps(a={}), "condition": "", "output": None, "input_schema": {}},
    {**steps(a={}), "condition": "event.payload.anything.at['all'] == event.id"},
    with_values(a={"cel": "steps.call.output.status >= 400 ? steps.call.error.code : steps.call.status"}),
    with_values(a={"cel": "steps[event.payload.name].output"}, b={"path": "$.steps.call.output.body[0]['x y']"}),
    with_values(a={"cel": "event.payload.since > timestamp('2026-01-31T12:00:00+01:00') - duration('1h30m')"}),
    with_values(a={"cel": "event.type.matches('^[a-z]+$') || event.type.matches(event.payload.pattern)"}),
    steps(a={"type": "wait", "with": {"until": "2026-01-31T12:00:00.5+01:00"}}),
    with_values(a={"cel": "run.depth + run.version"}, b={"cel": "size(steps)"}, c={"path": "$"}),
    with_values(a={"value": {"cel": "1 +"}}, b={"cel": "1", "path": "both are no expression"}),
    steps(a={**CALL, "with": {"method": "GET", "url": "https://x", "headers": {"A": {"secret": "shop"}}}}),
    steps(a={**CALL, "with": {"method": "GET", "url": {"cel": "event.payload.url"}, "timeout": {"cel": "1.5"}}}),
    steps(a={"type": "wait", "with": {"event": {"type": "t", "where": "received.payload.id == event.payload.id"}}}),
    steps(
        before={"next": ["a"]},
        a=each(
            [
                {"name": "b", **each([{"name": "c", **SET}], output={"cel": "steps.c.output"}), "next": ["e"]},
                {
                    "name": "e",
                    "type": "set",
                    "with": {"values": {"x": {"cel": "[steps.before, steps.b, item, index]"}}},
                },
            ],
            output={"path": "$.steps.e.output.x"},
        ),
    ),
    steps(a={"next": ["one", "two"]}, one=each([{"name": "x", **SET}]), two=each([{"name": "x", **SET}])),
]


@pytest.mark.parametrize("definition", RIGHT)
def test_what_could_come_right_is_accepted(definition: dict[str, Any]) -> None:
    assert found_in(definition) == []


def test_a_secret_is_looked_for_where_secrets_are_known() -> None:
    definition = steps(a={**CALL, "with": {"method": "GET", "url": "https://x", "headers": {"A": {"secret": "shop"}}}})
    assert found_in(definition, secrets=["shop"]) == []
    assert found_in(definition, secrets=[]) == [("d.steps.a.with.headers.A", "unknown_secret")]


class Measure(Step):
    """Gives exactly what it says."""

    type = "measure"
    output_schema = {
        "type": ["object", "null"],
        "properties": {"length": {"type": "integer"}, "more": {}},
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("length + 1", None),
        ("more.of.it", None),
        ("width", "unknown_name"),
        ("length.unit", "unknown_name"),
        ("length + 'cm'", "invalid_expression"),
    ],
)
def test_what_a_type_says_of_its_output_is_held_against_expressions(rule: str, code: str | None) -> None:
    definition = with_values(a={"cel": f"steps.call.output.{rule}"})
    definition["steps"][0] = {"name": "call", "type": "measure", "next": ["here", "aside"]}
    errors = check_definition(definition, types=lambda name: Measure() if name == "measure" else get_step_type(name))
    assert [error.code for error in errors] == ([code] if code else [])


def test_a_check_changes_nothing() -> None:
    definition = RIGHT[9]
    before = deepcopy(definition)
    found_in(definition)
    assert definition == before


def chain(count: int) -> dict[str, Any]:
    return steps(**{f"s{n}": {"next": [f"s{n + 1}"] if n + 1 < count else []} for n in range(count)})


def test_there_is_an_end_to_the_steps_those_of_bodies_among_them() -> None:
    assert found_in(chain(MOST_STEPS)) == []
    assert ("d.steps.s200", "too_many_steps") in found_in(chain(MOST_STEPS + 1))
    body = chain(MOST_STEPS)["steps"]
    assert found_in(steps(a=each(body)))[-1] == ("d.steps.a.with.steps.s199", "too_many_steps")


def nested(levels: int) -> dict[str, Any]:
    value: Any = []
    for _level in range(levels):
        value = {"a": value}
    return with_values(a=value)


def wide_cycle() -> dict[str, Any]:
    names = [f"s{n}" for n in range(MOST_STEPS)]
    return steps(**{name: {"next": names[:12]} for name in names})


HOSTILE: dict[str, tuple[Any, str]] = {
    "no object": ([], "type"),
    "null": (None, "type"),
    "a python object": (object(), "invalid"),
    "names that are no strings": ({1: 2}, "invalid"),
    "a set": (with_values(a={1}), "invalid"),
    "NUL in a text": (with_values(a="\0"), "invalid"),
    "NUL in a name": (with_values(**{"\0": 1}), "invalid"),
    "a lone surrogate": (with_values(a="\ud800"), "invalid"),
    "no number": (with_values(a=float("nan")), "invalid"),
    "no end": (with_values(a=float("-inf")), "invalid"),
    "a number of many digits": (with_values(a=10**5_000), "invalid"),
    "a thousand levels": (nested(1_000), "too_deep"),
    "steps of a hundred thousand levels": (nested(100_000), "too_deep"),
    "a giant text": (with_values(a="x" * 10**7), "too_large"),
    "a giant name": (with_values(**{"x" * 10**7: 1}), "too_large"),
    "a million items": (with_values(a=[0] * 10**6), "too_large"),
    "ten thousand steps": (chain(10_000), "too_large"),
    "steps of nothing": ({"steps": [None] * 5_000}, "maxItems"),
    "a step that is everything": ({"steps": [{"name": {}, "type": [], "with": 1, "next": {}, "on_error": 5}]}, "type"),
    "names of python": (steps(__proto__={"type": "__class__"}), "pattern"),
    "many faults": (wide_cycle(), "cycle"),
    "many expressions": (with_values(a=[{"cel": "1"}] * (MOST_EXPRESSIONS + 1)), "too_many_expressions"),
    "long expressions": (
        with_values(a=[{"cel": "'" + "x" * 3_000 + "'"}] * (MOST_RULE_CHARACTERS // 3_000 + 1)),
        "too_many_expressions",
    ),
    "an expression of nothing but depth": (with_values(a={"cel": "(" * 4_000}), "invalid_expression"),
    "many broken expressions": (with_values(a=[{"cel": "!"}] * 400), "invalid_expression"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_is_sent_there_are_errors_and_not_too_many(name: str) -> None:
    definition, code = HOSTILE[name]
    found = found_in(definition)
    assert code in {code for _field, code in found}
    assert len(found) <= MOST_ERRORS
    assert max(len(field) for field, _code in found) < 600


JUNK = st.recursive(
    st.sampled_from(
        [None, True, 0, -1, 2**70, 1.5, "", "s0", "s1", "$.event", "1 +", "\0", "__proto__", "steps.s0.output"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cel", "path", "value", "secret", "steps", "name", "type", "with", "x"]), inner
        )
    ),
    max_leaves=5,
)


@st.composite
def spoiled_definitions(draw: Any) -> Any:
    """A definition in which anything stands in the place of anything."""

    def spoiled(value: Any) -> Any:
        if draw(st.integers(0, 24)) == 0:
            return draw(JUNK)
        if isinstance(value, dict):
            return {name: spoiled(member) for name, member in value.items()}
        return [spoiled(item) for item in value] if isinstance(value, list) else value

    return spoiled(draw(definitions(most_steps=4)))


@given(spoiled_definitions())
@settings(max_examples=60, deadline=None)
def test_nothing_that_is_sent_is_more_than_wrong(definition: Any) -> None:
    found = found_in(definition)
    assert len(found) <= MOST_ERRORS
    if not found:
        for step in definition["steps"]:
            assert get_step_type(step["type"]) is not None
