"""Random rules in random contexts end in a value, or in a failure of their own kind."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automate.rules import Budget, RuleError, RuleFailed, Type, compile_rule
from automate.rules.tree import Run
from automate.rules.types import OF_PYTHON

_NAMES = ["a", "b", "a.b", "a.c[0]", "e"]
_ATOMS = st.one_of(
    st.sampled_from(_NAMES),
    st.sampled_from(["true", "false", "null", "0", "1", "-1", "2u", "1.5", "'x'", "b'x'", "[]", "{}", "[1, 'x']"]),
    st.sampled_from(["{'b': 1}", "timestamp(0)", "duration('1s')", "9223372036854775807", "'1'", "int", "0.0 / 0.0"]),
)
_OPERATORS = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"]
_FUNCTIONS = ["size", "int", "uint", "double", "string", "bytes", "bool", "type", "dyn", "timestamp", "duration"]
_TESTS = ["contains", "startsWith", "endsWith", "matches"]
_PARTS = ["getHours", "getFullYear", "getMilliseconds", "size"]
_MACROS = ["all", "exists", "exists_one", "filter", "map"]


def _bigger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def build(form: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.tuples(*parts).map(lambda given: form.format(*given))

    return st.one_of(
        build("({} {} {})", inner, st.sampled_from(_OPERATORS), inner),
        build("{}({})", st.sampled_from(_FUNCTIONS), inner),
        build("({}).{}({})", inner, st.sampled_from(_TESTS), inner),
        build("({}).{}()", inner, st.sampled_from(_PARTS)),
        build("({}).{}(a, {})", inner, st.sampled_from(_MACROS), inner),
        build("({}).map(b, {}, {})", inner, inner, inner),
        build("({} ? {} : {})", inner, inner, inner),
        build("({})[{}]", inner, inner),
        build("[{}, {}]", inner, inner),
        build("{{{}: {}}}", inner, inner),
        build("has(({}).b)", inner),
        build("!({})", inner),
        build("-({})", inner),
    )


RULES = st.recursive(_ATOMS, _bigger, max_leaves=12)
TEXTS = st.text(st.sampled_from("abin .,()[]{}'\"\\|&!?:<>=+-*/%01.5eEuUxX\n\x00é\ud800"), max_size=60)
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5), st.binary(max_size=3)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.sampled_from(["b", "c"]), st.integers(), st.booleans(), st.none()), inner, max_size=3
        ),
        st.tuples(inner),
        st.frozensets(st.integers(), max_size=2),
    ),
    max_leaves=8,
)
CONTEXTS = st.fixed_dictionaries({}, optional={"a": VALUES, "b": VALUES, "e": VALUES})

few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@few
@given(RULES, CONTEXTS)
def test_a_rule_has_a_value_or_fails(source: str, context: dict[str, Any]) -> None:
    rule = compile_rule(source)
    explanation = rule.explain(context).as_json()
    json.dumps(explanation)
    kind = None
    try:
        json.dumps(rule.evaluate(context), allow_nan=False)
    except RuleFailed as failed:
        kind = failed.kind
    assert explanation.get("error", {}).get("kind") == kind


@few
@given(RULES, CONTEXTS)
def test_a_type_that_is_told_before_is_right(source: str, context: dict[str, Any]) -> None:
    rule = compile_rule(source)
    try:
        told = rule.type_of({})
        value = Run(context, Budget()).visit(rule.root)
    except (RuleError, RuleFailed):
        return
    assert told in {OF_PYTHON[type(value)], Type.DYN}


@few
@given(TEXTS)
def test_a_text_is_a_rule_or_refused(source: str) -> None:
    try:
        rule = compile_rule(source)
    except RuleError as refused:
        where = (refused.start, refused.end)
    else:
        where = (rule.root.start, rule.root.end)
        assert rule.explain({"a": 1, "b": [1]}).reason
    assert 0 <= where[0] <= where[1] <= len(source)
