"""Values that are not known yet: they fit wherever they could come right, and nowhere else."""

from typing import Any

import pytest

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
