"""Values that are not known yet: they fit wherever they could come right, and nowhere else."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automate_api.engine.json_schema import Unknown, check_value

WORD, NUMBER, ANY = Unknown({"string"}), Unknown({"integer"}), Unknown()
EITHER: dict[str, Any] = {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
TEXT_OR_NOT: dict[str, Any] = {"oneOf": [{"type": "string"}, {"type": ["string", "null"]}, {"type": "array"}]}
CALL: dict[str, Any] = {
    "if": {"properties": {"method": {"const": "GET"}}},
    "then": {"properties": {"body": False}},
    "else": {"required": ["body"]},
}


@pytest.mark.parametrize(
    ("schema", "value", "codes"),
    [
        ({"type": "string", "minLength": 3, "pattern": "^a"}, WORD, []),
        ({"type": "string"}, NUMBER, ["type"]),
        ({"type": ["null", "number"]}, NUMBER, []),
        ({"type": "integer", "minimum": 3, "multipleOf": 2}, NUMBER, []),
        ({"type": "object", "required": ["a"], "additionalProperties": False}, ANY, []),
        ({"type": "array", "minItems": 2, "uniqueItems": True}, ANY, []),
        ({"enum": ["GET", "POST"]}, WORD, []),
        ({"enum": ["GET", "POST"]}, NUMBER, ["enum"]),
        ({"enum": [1, "POST"]}, NUMBER, []),
        ({"const": {"a": 1}}, {"a": NUMBER}, []),
        ({"const": {"a": "x"}}, {"a": NUMBER}, ["const"]),
        ({"const": {"a": [True]}}, {"a": [NUMBER]}, ["const"]),
        (TEXT_OR_NOT, ANY, []),
        (TEXT_OR_NOT, NUMBER, ["oneOf"]),
        (TEXT_OR_NOT, "x", ["oneOf"]),
        (EITHER, {"a": ANY}, []),
        (EITHER, {"c": ANY}, ["oneOf"]),
        (EITHER, {"a": ANY, "b": ANY}, ["oneOf"]),
        ({"oneOf": [{"const": {"a": 1}}, {"const": {"a": 2}}]}, {"a": NUMBER}, []),
        ({"oneOf": [{"items": {"type": "integer"}}, {"items": {"type": "string"}}]}, [ANY], []),
        ({"oneOf": [{"not": {"required": ["a"]}}, {"required": ["a"]}]}, {"a": ANY}, []),
        ({"oneOf": [{"oneOf": [EITHER, {"type": "string"}]}, {"required": ["a"]}]}, {"a": ANY}, ["oneOf"]),
        ({"not": {"properties": {"a": {"type": "string"}}}}, {"a": ANY}, []),
        ({"not": {"required": ["a"]}}, {"a": ANY}, ["not"]),
        ({"not": {"not": {"type": "string"}}}, ANY, []),
        ({"not": {"if": {"type": "string"}, "then": {"minLength": 1}, "else": False}}, ANY, []),
        ({"not": {"if": {"required": ["a"]}, "then": True}}, {"a": ANY}, ["not"]),
        ({"not": {"type": "string"}}, ANY, []),
        ({"not": {"type": "string"}}, "x", ["not"]),
        (CALL, {"method": ANY, "body": 1}, []),
        (CALL, {"method": ANY}, []),
        (CALL, {"method": "GET", "body": 1}, ["unknown_field"]),
        ({"if": {}, "then": {"required": ["a"]}, "else": {"required": ["b"]}}, {"c": ANY}, ["required"]),
        ({"unevaluatedProperties": False, "properties": {"a": {"type": "string"}}}, {"a": WORD}, []),
        ({"contains": {"type": "string"}}, [1, WORD], []),
        ({"uniqueItems": True}, [ANY, WORD, 1], []),
    ],
)
def test_an_unknown_value_fits_where_it_could_come_right(schema: Any, value: Any, codes: list[str]) -> None:
    assert [error.code for error in check_value(value, schema, field="v", partial=True)] == codes


def test_looking_for_unknown_values_is_counted() -> None:
    schema = {"allOf": [{"not": {"const": [[1]]}}] * 300}
    (error,) = check_value([[1] * 10_000], schema, field="v", partial=True)
    assert error.code == "too_complex"


LEAVES: list[Any] = [
    True,
    False,
    {"type": "string"},
    {"type": ["integer", "null"]},
    {"const": 1},
    {"const": {"a": [1]}},
    {"enum": ["x", [1], None]},
    {"minLength": 1},
    {"minimum": 1},
    {"required": ["a"]},
    {"minItems": 2},
    {"uniqueItems": True},
    {"dependentRequired": {"a": ["b"]}},
]


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas made of schemas."""
    few = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda keyword, schemas: {keyword: schemas}, st.sampled_from(["allOf", "anyOf", "oneOf"]), few),
        st.builds(lambda schema: {"not": schema}, inner),
        st.builds(lambda a, b, c: {"if": a, "then": b, "else": c}, inner, inner, inner),
        st.builds(lambda a, b: {"properties": {"a": a, "b": b}}, inner, inner),
        st.builds(lambda schema: {"items": schema}, inner),
        st.builds(
            lambda a, more: {"contains": a, **more},
            inner,
            st.sampled_from([{}, {"maxContains": 1}, {"minContains": 2}]),
        ),
        st.builds(lambda a, b, c: {"if": a, "then": b, "unevaluatedProperties": c}, inner, inner, inner),
        st.builds(lambda a, b, c: {"if": a, "else": b, "unevaluatedItems": c}, inner, inner, inner),
        st.builds(lambda a, b: {"prefixItems": [a], "unevaluatedItems": b}, inner, inner),
        st.builds(lambda a, b: {"properties": {"a": a}, "unevaluatedProperties": b}, inner, inner),
    )


VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, 1.0, 2, "", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)


def kinds_of(value: Any) -> set[str]:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return {names.get(type(value), "null"), *(["integer"] if value == 1.0 and type(value) is float else [])}


@st.composite
def with_unknown(draw: Any) -> tuple[Any, Any]:
    """A value, and the same with parts of it that are not known."""

    def hidden(value: Any) -> Any:
        if draw(st.integers(0, 2)) == 0:
            return Unknown(draw(st.sampled_from([None, kinds_of(value)])))
        if isinstance(value, dict):
            return {name: hidden(member) for name, member in value.items()}
        return [hidden(item) for item in value] if isinstance(value, list) else value

    value = draw(VALUES)
    return value, hidden(value)


@given(
    st.recursive(st.sampled_from(LEAVES), larger, max_leaves=5).filter(lambda schema: isinstance(schema, dict)),
    with_unknown(),
)
@settings(max_examples=300, deadline=None)
def test_what_could_turn_out_to_fit_is_never_refused(schema: Any, values: tuple[Any, Any]) -> None:
    value, partly = values
    if not check_value(value, schema, field="v"):
        assert check_value(partly, schema, field="v", partial=True) == []
    known = check_value(value, schema, field="v", partial=True)
    assert (known == []) == (check_value(value, schema, field="v") == [])
