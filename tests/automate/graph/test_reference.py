"""The reference of definitions says what the check does."""

import json

from jsonschema import Draft202012Validator

from automate.graph.check import check_definition
from automate.graph.schema import DEFINITION_SCHEMA, STEP, definition_schema
from automate.graph.visible import EVENT, RUN
from automate.steps import get_step_type
from tests.automate.graph.test_check import FAULTS, HOSTILE, found_in
from tests.automate.graph.test_schema import ALL
from tests.guides import blocks, code_in, sections, table, text_of

PAGE = "reference/workflow-definitions.md"
# Of what is wrong with a value, its schema's keyword is the code.
KEYWORDS = Draft202012Validator.VALIDATORS.keys() - {"required"}


def test_the_example_is_a_definition() -> None:
    (example,) = [json.loads(block.code) for block in blocks(PAGE) if block.language == "json"]
    assert check_definition(example, types=get_step_type, secrets=["shop"]) == []
    assert Draft202012Validator(definition_schema(ALL)).is_valid(example)
    assert set(example) == set(DEFINITION_SCHEMA["properties"])


def test_each_member_has_its_line() -> None:
    page = sections(PAGE)
    assert {name for name, _meaning in table(page["Steps"], "member", "meaning")} == set(STEP["properties"])
    whole = {name for name, _meaning in table(text_of(PAGE), "member", "meaning")} - set(STEP["properties"])
    assert whole == set(DEFINITION_SCHEMA["properties"])


def test_what_expressions_see_has_its_line() -> None:
    members = {
        name: code_in(cell) for name, cell, _where in table(sections(PAGE)["Values"], "name", "members", "where")
    }
    assert set(members["event"]) == set(EVENT)
    assert set(members["run"]) == set(RUN)


def test_each_code_has_its_line_and_is_tried() -> None:
    documented = {code for code, _meaning in table(sections(PAGE)["Errors"], "code", "what is wrong")}
    definitions = [definition for definition, _ in (*FAULTS, *HOSTILE.values())]
    found = {code for definition in definitions for _field, code in found_in(definition)}
    assert found - KEYWORDS | {"unknown_secret", "too_many_steps"} == documented
