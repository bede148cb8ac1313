"""JSON Schemas from people nobody trusts: ordinary ones work, hostile ones are refused or stopped."""

import itertools
import random
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from automate_api.engine.json_schema import MOST_ERRORS, check_schema, check_value, first_error, require_valid
from automate_api.engine.json_schema.counted import MOST_POINTS, Count, CountedValidator, TooComplex
from automate_api.engine.json_schema.patterns import MOST_STEPS, UnsafePattern, compiled, steps
from automate_api.exceptions import FieldError, InvalidInput

Schema = dict[str, Any]


def found(errors: list[FieldError]) -> list[tuple[str, str]]:
    """Where and what."""
    return [(error.field, error.code) for error in errors]


ORDINARY_PATTERNS = {
    r"^[^@]+@[^@]+\.[a-z]{2,}$": "ann@mail.example.org",
    r"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$": "ann.b+c@example.org",
    r"^(foo|bar)$": "bar",
    r"^\d{4}-\d{2}-\d{2}$": "2026-01-31",
    r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$": "2026-01-31T10:00:00.5+02:00",
    r"^[A-Z][a-z]*( [A-Z][a-z]*)*$": "Ann Bee Cee",
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "a-slug-2",
    r"^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$": "#a0b1c2",
    r"^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$": "0a1b2c3d-0a1b-4c2d-8a1b-" + "0" * 12,
    r"^\+?[0-9 ()-]{6,20}$": "+49 (30) 1234-567",
    r"^(\([0-9]{3}\))?[0-9]{3}-[0-9]{4}$": "(888)555-1212",
    r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$": "-1.5e10",
    r"^https?://[^\s/]+(/\S*)?$": "https://example.org/a/b",
    r"^((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)$": "127.0.0.1",
    r"^\w+(\s\w+)*$": "some words",
    r"^([a-z]+,)*[a-z]+$": "a,b,c",
    r"^.{1,2000}$": "x" * 2000,
    r"\S": " " * 20_000 + "x",
    r"^x-": "x-header",
    r"foo.*bar": "a foo and a bar",
    r"": "",
}

HOSTILE_PATTERNS = [
    r"^(a+)+$",
    r"^(a*)*$",
    r"(a|a)*b",
    r"(a|aa)+$",
    r"(a|b|ab)*c",
    r"([a-z]+)*\d",
    r"(\w+\s?)+$",
    r"(x+x+)+y",
    r"(.*a){20}$",
    r"^(a?){30}a{30}$",
    r"a*a*a*b",
    r"^.*a.*a.*a$",
    r"^\S+@\S+\.\S+$",
    r"(a{1,30}){1,30}b",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(b?|c?)" * 40 + "x",
    r"((((((((a+b)+c)+d)+e)+f)+g)+h)+i)+",
    r"a?" * 255,
    r"(a)\1",
    r"(?=a)a",
    r"(?<!a)b",
    r"(a)?(?(1)b|c)",
    "(?i)[\x00-\U0010ffff]",
    "(?i:[\x00-\U0010ffff])",
    r"a{99999999999}",
    r"a" * 513,
    r"(",
    r"[z-a]",
]


@pytest.mark.parametrize("pattern", ORDINARY_PATTERNS)
def test_an_ordinary_pattern_is_accepted_and_applied(pattern: str) -> None:
    schema = {"type": "string", "pattern": pattern}
    assert check_schema(schema, field="s") == []
    assert check_value(ORDINARY_PATTERNS[pattern], schema, field="v") == []
    if pattern:
        assert found(check_value("\n", schema, field="v")) == [("v", "pattern")]


@pytest.mark.parametrize("pattern", HOSTILE_PATTERNS, ids=lambda pattern: pattern[:40])
def test_a_pattern_that_could_take_too_long_is_refused_when_saved_and_when_used(pattern: str) -> None:
    for schema, value, keyword in (
        ({"pattern": pattern}, "a" * 26 + "!", "pattern"),
        ({"patternProperties": {pattern: {}}}, {"a" * 26 + "!": 1}, "patternProperties"),
    ):
        assert found(check_schema(schema, field="s")) == [(f"s.{keyword}", "invalid_schema")]
        assert found(check_value(value, schema, field="v")) == [(f"v.{keyword}", "invalid_schema")]
    assert found(check_schema({"propertyNames": {"pattern": pattern}}, field="s")) == [
        ("s.propertyNames.pattern", "invalid_schema")
    ]


def test_a_pattern_that_a_reference_finds_in_data_is_refused_when_used() -> None:
    schema = {"$ref": "#/default", "default": {"pattern": "^(a+)+$"}}
    assert check_schema(schema, field="s") == []
    assert found(check_value("a" * 26 + "!", schema, field="v")) == [("v", "invalid_schema")]


def test_a_pattern_is_applied_to_strings_as_long_as_it_can_bear() -> None:
    schema = {"pattern": r"^[^@]+@[^@]+\.[a-z]{2,}$"}
    assert check_value("a@" + "b" * 400 + ".org", schema, field="v") == []
    assert found(check_value("a@" + "." * 20_000, schema, field="v")) == [("v", "too_complex")]


Then = Callable[[int], bool]


class Search:
    """A plain backtracking search that counts its steps, over what `re` parses of a pattern of a, b and c."""

    def __init__(self, pattern: str, text: str) -> None:
        self.text, self.steps = text, 0
        tree = list(re._parser.parse(pattern))  # type: ignore[attr-defined]
        any(self.match(tree, start, lambda _end: True) for start in range(len(text) + 1))

    def match(self, items: list[Any], at: int, then: Then) -> bool:
        self.steps += 1
        if not items:
            return then(at)
        (kind, argument), rest = items[0], items[1:]
        return bool(getattr(self, str(kind).lower())(argument, at, lambda end: self.match(rest, end, then)))

    def literal(self, code: int, at: int, then: Then) -> bool:
        return self.text[at : at + 1] == chr(code) and then(at + 1)

    def in_(self, items: list[Any], at: int, then: Then) -> bool:
        return self.text[at : at + 1] in [chr(code) for _literal, code in items] and then(at + 1)

    def at(self, _end: Any, at: int, then: Then) -> bool:
        return at == len(self.text) and then(at)

    def branch(self, argument: Any, at: int, then: Then) -> bool:
        return any(self.match(list(branch), at, then) for branch in argument[1])

    def subpattern(self, argument: Any, at: int, then: Then) -> bool:
        return self.match(list(argument[3]), at, then)

    def max_repeat(self, argument: Any, at: int, then: Then) -> bool:
        low, high, body = argument

        def again(at: int, times: int) -> bool:
            further = times < int(high) and self.match(list(body), at, lambda end: end > at and again(end, times + 1))
            return further or (times >= low and then(at))

        return again(at, 0)


setattr(Search, "in", Search.in_)


def some_pattern(chance: random.Random, depth: int = 3) -> str:
    """A pattern of two letters."""
    if depth == 0:
        return chance.choice(["a", "b", "[ab]"])
    parts = []
    for _part in range(chance.randint(1, 3)):
        inner = some_pattern(chance, depth - 1)
        body = chance.choice([inner, f"(?:{inner}|{some_pattern(chance, depth - 1)})"])
        repeat = chance.choice(["", "", "*", "+", "?", "{1,3}"])
        parts.append(f"(?:{body}){repeat}")
    return "".join(parts)


def test_no_search_tries_more_than_was_said() -> None:
    chance = random.Random(7)
    compared = 0
    for _round in range(600):
        pattern = some_pattern(chance, chance.randint(1, 3)) + chance.choice(["", "$"])
        text = "".join(chance.choice("aab") for _character in range(8)) + chance.choice(["", "c"])
        try:
            bound = steps(pattern, len(text))
        except UnsafePattern:
            continue
        if bound > 20_000:
            continue
        compared += 1
        assert Search(pattern, text).steps <= bound, (pattern, text)
    assert compared > 200


def doubling(keyword: str, levels: int = 30) -> Schema:
    """Each level refers to the next twice."""
    levels_of = {
        "allOf": lambda ref: {"allOf": [ref, ref]},
        "anyOf": lambda ref: {"anyOf": [{"allOf": [ref, False]}, ref]},
        "oneOf": lambda ref: {"oneOf": [{"not": ref}, ref]},
        "if": lambda ref: {"if": ref, "then": ref},
        "dependentSchemas": lambda ref: {"dependentSchemas": {"a": ref, "b": ref}},
        "$ref": lambda ref: {**ref, "$dynamicRef": ref["$ref"]},
    }
    defs = {f"d{level}": levels_of[keyword]({"$ref": f"#/$defs/d{level + 1}"}) for level in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**defs, f"d{levels}": {}}}


def many(keyword: str, number: int = 600) -> Schema:
    """Schemas that look at everything once more each."""
    return {"allOf": [{keyword: False} for _schema in range(number)]}


def nested(levels: int) -> Schema:
    schema: Schema = {}
    for _level in range(levels):
        schema = {"not": schema}
    return schema


PAIR = {"a": 1, "b": 2}
OBJECTS = [{"n": n} for n in range(20_000)]
STOPPED: dict[str, tuple[Schema, Any]] = {
    **{f"double {keyword}": (doubling(keyword), PAIR) for keyword in ("allOf", "anyOf", "oneOf", "if", "$ref")},
    "double dependentSchemas": (doubling("dependentSchemas"), PAIR),
    "unseen over doubled dependentSchemas": ({"unevaluatedProperties": False, **doubling("dependentSchemas")}, PAIR),
    "unseen over doubled references": ({"unevaluatedProperties": False, **doubling("$ref")}, PAIR),
    "unseen items over doubled references": ({"unevaluatedItems": False, **doubling("allOf")}, [1]),
    "unique items over and over": ({"allOf": [{"uniqueItems": True}] * 100}, OBJECTS),
    "contains over and over": ({"allOf": [{"contains": True, "minContains": 30_000}] * 600}, OBJECTS),
    "contains never": (many("contains"), OBJECTS),
    "items over and over": ({"allOf": [{"items": True}] * 600}, OBJECTS),
    "names over and over": ({"allOf": [{"propertyNames": True}] * 600}, {str(n): n for n in range(20_000)}),
    "texts of errors": ({"anyOf": [False] * 1_000}, "x" * 1_000_000),
    "texts of errors below not": ({"allOf": [{"not": False}] * 1_000}, "x" * 1_000_000),
    "an enum for each item": (
        {"items": {"not": {"enum": [[n] for n in range(1_000)]}}},
        [[n, n] for n in range(20_000)],
    ),
    "many unknown keywords": ({"items": {f"x{n}": n for n in range(1_500)}}, OBJECTS),
    "many properties": ({"items": {"properties": {f"x{n}": True for n in range(1_500)}}}, OBJECTS),
    "many required": ({"items": {"anyOf": [{"required": [f"x{n}" for n in range(1_500)]}, {}]}}, OBJECTS),
    "a pattern for each item": ({"items": {"not": {"pattern": "a.*b"}}}, ["a" * 200] * 2_000),
    "a pattern for each name": ({"patternProperties": {"a.*b": True}}, {"a" * 200 + str(n): 1 for n in range(2_000)}),
    "other names": ({"patternProperties": {"a.*b": True}, "additionalProperties": True}, {"a" * 20_000: 1}),
    "a long way to each schema": ({"items": {"$ref": "#" + "/not" * 50}, "not": nested(55)}, [1] * 20_000),
}


@pytest.mark.parametrize("name", STOPPED)
def test_what_costs_too_much_is_stopped(name: str) -> None:
    schema, value = STOPPED[name]
    assert check_schema(schema, field="s") == []
    assert found(check_value(value, schema, field="v")) == [("v", "too_complex")]


STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"description": "x" * 70_000}, "s"),
        ({"allOf": [{}] * 3_000}, "s"),
        ({"enum": [[n] for n in range(3_000)]}, "s"),
        (nested(70), "s"),
        (nested(5_000), "s"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "s.$schema"),
        ({"$schema": "https://elsewhere.example/schema"}, "s.$schema"),
        ({"not": {"$schema": "http://json-schema.org/draft-07/schema#"}}, "s.not.$schema"),
        ({"not": {"$schema": "https://json-schema.org/draft/2020-12/schema"}}, "s.not.$schema"),
        ({"$ref": "#/x-own", "x-own": {"$schema": "http://json-schema.org/draft-04/schema#"}}, "s.x-own.$schema"),
        ({"$ref": "#/default", "default": {"$schema": "http://json-schema.org/draft-03/schema"}}, "s.default.$schema"),
        (
            {"$dynamicAnchor": "meta", "not": {"$id": "https://json-schema.org/draft/2020-12/schema", "$ref": "#"}},
            "s.not.$id",
        ),
        ({"$dynamicRef": "https://json-schema.org/draft/2020-12/schema#meta"}, "s"),
        ({"$ref": "other.json"}, "s"),
        ({"type": "nonsense"}, "s.type"),
        ({"$schema": 5}, "s.$schema"),
        ([], "s"),
        (True, "s"),
    ],
    ids=(str(number) for number in itertools.count()),
)
def test_a_schema_nobody_should_store_is_refused_and_not_applied(schema: Any, field: str) -> None:
    assert found(check_schema(schema, field="s")) == [(field, "invalid_schema")]
    assert {error.code for error in check_value("x", schema, field="s")} == {"invalid_schema"}


@pytest.mark.parametrize(
    "schema",
    [
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.org/s", "type": "string"},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$vocabulary": {"x:y": True}, "type": "string"},
        {
            "$id": "https://json-schema.org/draft/2020-12/schema",
            "$ref": "#/$defs/s",
            "$defs": {"s": {"type": "string"}},
        },
        {"$ref": "#s", "$defs": {"s": {"$anchor": "s", "type": "string"}}},
        {"$dynamicRef": "#s", "$defs": {"s": {"$dynamicAnchor": "s", "type": "string"}}},
        {"properties": {"$schema": {"type": "string"}, "pattern": {"type": "string"}}, "type": "string"},
        {"default": {"pattern": "(a+)+"}, "type": "string"},
    ],
)
def test_a_schema_keeps_the_rules_of_its_draft_whatever_it_calls_itself(schema: Schema) -> None:
    assert check_schema(schema, field="s") == []
    assert check_value("x", schema, field="v") == []
    assert found(check_value(1, schema, field="v")) == [("v", "type")]


def test_a_reference_to_no_schema_is_an_error_of_the_schema() -> None:
    for default in (5, "x", {"type": 5}, {"pattern": 5}, {"type": "nonsense"}, {"multipleOf": 0}, {"minimum": "x"}):
        errors = check_value(5, {"$ref": "#/default", "default": default}, field="v")
        assert {error.code for error in errors} <= {"invalid_schema"}
    assert found(check_value(5, {"$ref": "#/nowhere"}, field="v")) == [("v", "invalid_schema")]
    assert found(check_value(5, {"$ref": "#"}, field="v")) == [("v", "too_deep")]


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"required": ["a", "b"]}, {}, [("v.a", "required"), ("v.b", "required")]),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, [("v.b", "required")]),
        ({"dependentRequired": {"a": ["b"]}}, {"c": 1}, []),
        ({"additionalProperties": False, "properties": {"a": {}}}, {"a": 1, "b": 2}, [("v.b", "unknown_field")]),
        (
            {"additionalProperties": False, "patternProperties": {"^x-": {}}},
            {"x-a": 1, "b": 2},
            [("v.b", "unknown_field")],
        ),
        ({"additionalProperties": {"type": "string"}}, {"b": 2}, [("v.b", "type")]),
        ({"properties": {"a": False}}, {"a": 1}, [("v.a", "unknown_field")]),
        ({"patternProperties": {"^x": {"type": "string"}}}, {"x": 1, "y": 1}, [("v.x", "type")]),
        ({"propertyNames": {"maxLength": 1}}, {"aa": 1}, [("v", "maxLength")]),
        ({"items": {"type": "string"}}, ["a", 1], [("v.1", "type")]),
        ({"prefixItems": [{"type": "string"}], "items": False}, ["a"], []),
        ({"contains": {"type": "string"}}, [1], [("v", "contains")]),
        ({"enum": [1, "a"]}, "b", [("v", "enum")]),
        ({"const": {"a": [1]}}, {"a": [1.0]}, []),
        ({"const": {"a": [1]}}, {"a": [True]}, [("v", "const")]),
        ({"pattern": "^a"}, 5, []),
        ({"format": "email"}, "no address", []),
        ({"maximum": 1}, 2, [("v", "maximum")]),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, [("v", "anyOf")]),
        ({"uniqueItems": True}, [1, True, "1", "true", None, [1], [True], {"1": 1}], []),
        ({"uniqueItems": True}, [1, 1.0], [("v", "uniqueItems")]),
        ({"uniqueItems": True}, [{"a": 1, "b": [0]}, {"b": [-0.0], "a": 1.0}], [("v", "uniqueItems")]),
        ({"uniqueItems": True}, [0.5, 0.25, 10**400, 1e300], []),
        ({"uniqueItems": True}, [["a,b"], ["a", "b"]], []),
        ({"uniqueItems": False}, [1, 1], []),
        ({"unevaluatedProperties": False, "allOf": [{"properties": {"a": {}}}]}, PAIR, [("v.b", "unknown_field")]),
        ({"unevaluatedProperties": {"type": "string"}, "properties": {"a": {}}}, PAIR, [("v.b", "type")]),
        ({"unevaluatedItems": False, "prefixItems": [{}]}, [1, 2], [("v.1", "unknown_field")]),
    ],
    ids=str,
)
def test_an_error_has_its_place_and_its_code(schema: Schema, value: Any, expected: list[tuple[str, str]]) -> None:
    assert check_schema(schema, field="s") == []
    assert found(check_value(value, schema, field="v")) == expected
    assert (first_error(value, schema) is None) == (not expected)


UNSEEN: list[Schema] = [
    {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"a": {}}}}},
    {"$dynamicRef": "#a", "$defs": {"a": {"$dynamicAnchor": "a", "properties": {"a": {}}}}},
    {"anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {}}}]},
    {"oneOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {}}}]},
    {"if": {"properties": {"a": {"const": 1}}}, "then": {"properties": {"b": {}}}, "else": {"properties": {"c": {}}}},
    {"if": {"required": ["z"]}, "else": {"properties": {"a": {}}}},
    {"dependentSchemas": {"a": {"properties": {"b": {}}}, "z": {"properties": {"a": {}}}}},
    {"patternProperties": {"^a": {}}},
    {"additionalProperties": {"type": "integer"}},
    {"allOf": [{"unevaluatedProperties": True}]},
    {"not": {"not": {"properties": {"a": {}}}}},
    {"prefixItems": [{}]},
    {"items": {}},
    {"contains": {"const": 1}},
    {"allOf": [{"prefixItems": [{}, {}]}, True]},
    {"anyOf": [{"items": {"type": "string"}}, {"unevaluatedItems": {"type": "integer"}}]},
    {"if": {"contains": {"const": 2}}, "then": {"prefixItems": [{}]}},
]


@pytest.mark.parametrize("schema", UNSEEN, ids=str)
@pytest.mark.parametrize("value", [{}, {"a": 1}, {"b": 2}, PAIR, {"a": "x", "c": 3}, [], [1], [1, 2], ["x", 1, 1], "x"])
def test_the_counted_validator_judges_like_the_librarys(schema: Schema, value: Any) -> None:
    whole = {**schema, "unevaluatedProperties": False, "unevaluatedItems": False}
    assert (check_value(value, whole, field="") == []) == Draft202012Validator(whole).is_valid(value)
    assert (check_value(value, schema, field="") == []) == Draft202012Validator(schema).is_valid(value)


def test_there_is_an_end_to_the_errors() -> None:
    schema = {"required": [f"n{n}" for n in range(100)]}
    assert len(check_value({}, schema, field="v")) == MOST_ERRORS
    (error,) = check_value({"x" * 1_000: 1}, {"additionalProperties": False}, field="v")
    assert error.field == "v." + "x" * 64


def test_the_count_belongs_to_one_call() -> None:
    schema: Schema = {"items": {"type": "integer"}}
    value, results = [1] * 1_000, []

    def check() -> None:
        results.extend(found(check_value(value, schema, field="v", points=4_000)) for _round in range(20))

    threads = [threading.Thread(target=check) for _thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[]] * 80
    assert found(check_value(value, schema, field="v", points=1_000)) == [("v", "too_complex")]


def test_each_schema_that_is_applied_costs_a_point_and_one_for_each_keyword() -> None:
    count = Count(10)
    validator = CountedValidator({"type": "array", "items": {"type": "integer"}}, format_checker=count)
    assert list(validator.iter_errors([1, 2])) == []
    assert count.left == 10 - 3 - 2 * 2
    with pytest.raises(TooComplex):
        validator.is_valid([1, 2])


def test_a_large_ordinary_value_is_within_the_count() -> None:
    row = {"id": 1, "name": "x", "tags": ["a", "b"], "price": 1.5, "sold": False}
    types = {"id": "integer", "name": "string", "price": "number", "sold": "boolean"}
    properties = {name: {"type": kind} for name, kind in types.items()}
    schema = {"type": "array", "items": {"type": "object", "properties": properties, "required": list(types)}}
    assert check_value([row] * 10_000, schema, field="v") == []
    assert MOST_POINTS < 1_000_000


def test_what_a_pattern_costs_is_known_before_it_is_tried() -> None:
    assert steps("^a$", 512) < steps("a.*b", 512) < MOST_STEPS < steps("^(a+)+$", 512)
    with pytest.raises(UnsafePattern):
        compiled("^(a+)+$")


def test_errors_are_raised_where_there_are_any() -> None:
    require_valid([])
    with pytest.raises(InvalidInput):
        require_valid([FieldError("f", "c", "d")])
