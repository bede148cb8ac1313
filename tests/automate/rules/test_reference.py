"""The reference of rules says what the language does."""

import json
import re

from automate.rules import Kind, Type, compile_rule
from automate.rules.functions import FUNCTIONS
from automate.rules.macros import MACROS
from automate.rules.operators import ARITHMETIC
from automate.rules.types import OF_PYTHON
from tests.guides import blocks, code_in, sections, table

PAGE = "reference/rules.md"
PARTS = sections(PAGE)


def test_every_type_is_documented() -> None:
    assert {name for name, *_ in table(PARTS["Values"], "type", "literals", "in JSON")} == set(Type) - {Type.DYN}
    rows = table(PARTS["Type"], "type", "is known of")
    assert {name for cell, _known in rows for name in code_in(cell)} == set(Type)


def test_each_literal_has_the_type_that_is_written() -> None:
    for name, literals, _json in table(PARTS["Values"], "type", "literals", "in JSON"):
        for literal in code_in(literals):
            assert compile_rule(literal).type_of({}) == name


def test_every_kind_of_failure_is_documented() -> None:
    assert [kind for kind, _meaning in table(PARTS["RuleFailed"], "kind", "means")] == list(Kind)


def test_every_operator_is_documented() -> None:
    cells = [code for cell, _for in table(PARTS["Operators"], "operators", "for") for code in code_in(cell)]
    for name in [*ARITHMETIC, "==", "!=", "in", "&&", "||", "!", "?"]:
        assert any(name in cell for cell in cells), name


def test_every_macro_is_documented() -> None:
    text = PARTS["Macros"]
    assert [name for name in MACROS if f"{name}" not in text] == []


def test_every_function_is_documented_with_how_it_is_called_and_of_what() -> None:
    written = {}
    for calls, types, _is in table(PARTS["Functions"], "function", "of", "is"):
        forms = [re.sub(r"\(.*\)", "", call) for call in code_in(calls)]
        (name,) = {form.removeprefix("a.") for form in forms}
        written[name] = (
            any("." not in form for form in forms),
            any("." in form for form in forms),
            set(code_in(types)) if types != "all" else {"all"},
        )
    own = {"type", "dyn"}  # of all types
    assert written == {
        name: (
            bool(function.alone),
            bool(function.of),
            {"all"}
            if name in own
            else {OF_PYTHON[types[0]] for types in [*function.alone, *function.of] if OF_PYTHON[types[0]] != name},
        )
        for name, function in FUNCTIONS.items()
    }


def test_the_rules_on_the_page_have_the_values_that_are_written() -> None:
    rows = table(PARTS["Functions"], "rule", "value")
    assert len(rows) > 5
    assert [(rule, compile_rule(rule).evaluate({})) for rule, _value in rows] == [
        (rule, json.loads(value)) for rule, value in rows
    ]


def test_the_explanation_on_the_page_is_one() -> None:
    (written,) = [json.loads(block.code) for block in blocks(PAGE) if block.language == "json"]
    rule = compile_rule(written["tree"]["text"])
    assert rule.explain({"total": 150, "tags": ["old", "new"]}).as_json() == written
