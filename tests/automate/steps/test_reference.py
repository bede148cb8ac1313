"""The reference of steps says what they take, give and fail with."""

import re

import pytest

from automate.steps import get_step_type, step_types
from automate_api import exceptions
from automate_api.exceptions import AutomateError, CacheUnavailable, RateLimited
from tests.guides import sections, table

PAGE = sections("reference/steps.md")
OURS = [name for name in step_types() if "." not in name]
#: Those that events and workflows never raise in a step.
_ELSEWHERE = {"handler_failed"}


def test_every_type_has_its_part() -> None:
    assert set(PAGE) == {*OURS, "Retries and errors", "Steps of your own"}


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_documented(name: str) -> None:
    kind = get_step_type(name)
    assert kind is not None
    rows = {setting: takes for setting, takes, _meaning in table(PAGE[name], "setting", "takes", "meaning")}
    assert set(rows) == set(kind.schema["properties"])
    marked = {setting for setting, takes in rows.items() if "; required" in takes}
    assert marked == set(kind.schema.get("required", ()))
    literal = {setting for setting, takes in rows.items() if "no expression" in takes}
    assert literal == set(kind.literal_fields)
    for setting, takes in rows.items():
        schema = kind.schema["properties"][setting]
        assert all(str(schema[bound]) in takes for bound in ("maximum", "maxItems") if bound in schema)
        assert str(schema["maximum"]) == re.findall(r"\d+", takes)[-1] if "maximum" in schema else True


@pytest.mark.parametrize("name", OURS)
def test_what_a_step_gives_is_documented(name: str) -> None:
    kind = get_step_type(name)
    assert kind is not None
    said = PAGE[name].partition("The output is")[2]
    assert said
    assert all(f"`{member}`" in said for member in kind.output_schema.get("properties", ()))


def test_what_is_tried_again_is_documented() -> None:
    rows = table(PAGE["Retries and errors"], "code", "after")
    again = {
        str(error.code)
        for error in vars(exceptions).values()
        if isinstance(error, type) and issubclass(error, AutomateError) and error.is_worth_another_try
    }
    assert {code for code, _after in rows} == (again | {RateLimited.code, CacheUnavailable.code}) - _ELSEWHERE


def test_every_code_on_the_page_is_one() -> None:
    codes = {str(code) for code in exceptions.ErrorCode}
    shaped = re.compile(r"`((?:upstream|output|step|run|workflow|expression|invalid|outbound)_[a-z_]+)`")
    named = {code for text in PAGE.values() for code in shaped.findall(text)}
    assert named - codes == {"output_schema"}
