"""The language is the one of the specification."""

from typing import Any

import pytest

from automate.rules import Budget, Kind, RuleError, RuleFailed, Type, compile_rule
from automate.rules.tree import Run
from automate.rules.types import OF_PYTHON
from tests.automate.rules.cases import CASES, CONTEXT, REFUSED

TYPES = {name: OF_PYTHON[type(value)] for name, value in CONTEXT.items()}

by_section = pytest.mark.parametrize("section", CASES)


def evaluated(source: str) -> Any:
    """The value of a rule, the kind of its failure, or that it is refused."""
    try:
        return compile_rule(source).evaluate(CONTEXT)
    except RuleError:
        return REFUSED
    except RuleFailed as failed:
        return failed.kind


@by_section
def test_rules_are_what_the_specification_says(section: str) -> None:
    found = [(source, evaluated(source)) for source, _expected in CASES[section]]
    assert found == CASES[section]
    assert [type(value) for _source, value in found] == [type(value) for _source, value in CASES[section]]


@by_section
def test_explanations_say_what_evaluations_say(section: str) -> None:
    for source, expected in CASES[section]:
        if expected is not REFUSED:
            explanation = compile_rule(source).explain(CONTEXT)
            error = explanation.error
            assert (error["kind"] if error else explanation.value) == expected, source
            assert explanation.reason


@by_section
def test_a_type_that_is_told_before_is_the_one_that_the_value_has(section: str) -> None:
    for source, expected in CASES[section]:
        if expected is REFUSED:
            continue
        rule = compile_rule(source)
        try:
            told = rule.type_of(TYPES)
        except RuleError:
            # Nothing but a failure, or a comparison of what is never equal, or what logic makes not matter.
            assert isinstance(expected, Kind | bool), source
        else:
            if not isinstance(expected, Kind):
                value = Run(CONTEXT, Budget()).visit(rule.root)
                assert told in {OF_PYTHON[type(value)], Type.DYN}, source


def test_there_are_more_than_two_hundred_cases_and_each_is_another() -> None:
    sources = [source for cases in CASES.values() for source, _expected in cases]
    assert len(sources) == len(set(sources)) > 200
