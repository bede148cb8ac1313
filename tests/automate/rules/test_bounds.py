"""Whatever a rule or a context holds, an evaluation ends soon, with a value or a failure of its own kind."""

import json
from typing import Any

import pytest
from django.utils.functional import SimpleLazyObject

from automate.rules import Budget, Kind, RuleError, RuleFailed, compile_rule

MILLION = list(range(1_000_000))


def nested(levels: int) -> Any:
    """Lists within lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


class Hostile:
    """Anything that is asked of it is a fault."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return Hostile
        raise AssertionError(name)


CONTEXT: dict[str, Any] = {
    "l": MILLION,
    "s": "ab" * 500_000,
    "t": "ab" * 10_000,
    "deep": nested(1000),
    "wide": [[[1] * 100] * 100] * 100,
    "tuple": (1, 2),
    "keys": {1: "a", None: "b", (1,): "c"},
    "hostile": Hostile(),
    "big": 2**100,
    "half": "\ud800",
    "nul": "\x00",
    "set": {1},
}

COSTLY = [
    "l.all(x, x >= 0)",
    "l.exists(x, x == -1)",
    "l.exists_one(x, true)",
    "l.map(x, x)",
    "l.filter(x, true)",
    "l.all(x, l.all(y, true)) || true",
    "false && l.all(x, true) ? 1 : l",
    "-1 in l",
    "'a' in l",
    "l == l",
    "l + l",
    "l",
    "[l, l]",
    "s + s",
    "s",
    "bytes(s)",
    "wide",
    "wide == wide",
    "wide.map(x, x.map(y, y.map(z, z)))",
    "deep",
    "deep == deep",
    "[0, 1].all(a, " * 15 + "1 / 0 > 0" + ")" * 15,
    "['foo', 'bar']" + ".map(x, [x + x, x + x])" * 30,
    "[s.contains('z')" + ", s.contains('z')" * 100 + "]",
    "[s == s" + ", s == s" * 100 + "]",
    "[t.matches('(a|b|ab)*c')" + ", t.matches('(a|b|ab)*c')" * 100 + "]",
    "s.matches('a')",
    "t.matches('([ab]?){400}c')",
    "''.matches('(a.{1,100}){1,8}c') || ''.matches('(a.{1,100}){1,8}d')",
    "l.exists(n, 'a'.matches('((a{1,100}){1,100}){' + string(n) + '}'))",
]


@pytest.mark.parametrize("source", COSTLY, ids=[source[:40] for source in COSTLY])
def test_what_costs_too_much_is_told_so(source: str) -> None:
    rule = compile_rule(source)
    with pytest.raises(RuleFailed) as failed:
        rule.evaluate(CONTEXT)
    assert failed.value.kind is Kind.TOO_COSTLY
    explained = rule.explain(CONTEXT).as_json()
    assert explained["error"]["kind"] == Kind.TOO_COSTLY
    assert len(json.dumps(explained)) < 500_000


LONG = [
    "(" * 2000 + "1" + ")" * 2000,
    "[" * 2000 + "]" * 2000,
    "{" * 4000,
    "!" * 4000 + "true",
    "a" + ".b" * 2000,
    "a" + "[0]" * 1300,
    "1" + " ? 1 : 1" * 500,
    "'a'" + " + 'a'" * 500,
    '"' + "\\" * 4001,
    "'" + "\\a" * 2000,
    "9" * 4000,
    "0x" + "f" * 4000,
    "1e" + "9" * 4000,
    "/" * 4096,
    "x" * 4097,
    "true\x00",
    "\ud800",
    "'\ud800'",
]


@pytest.mark.parametrize("source", LONG, ids=[ascii(source[:20]) for source in LONG])
def test_a_source_that_is_too_much_is_refused(source: str) -> None:
    with pytest.raises(RuleError) as refused:
        compile_rule(source)
    assert refused.value.line == 1
    assert 1 <= refused.value.column <= len(source) + 1


@pytest.mark.parametrize("source", ["!" * 4000 + "true", "-" * 4000 + "n", "a?a:" * 1000 + "a", "[{" * 1000])
def test_what_is_too_deep_is_refused_without_reading_on(source: str) -> None:
    with pytest.raises(RuleError, match="nested too deeply") as refused:
        compile_rule(source)
    assert refused.value.column < 600


def test_long_chains_are_no_depth() -> None:
    assert compile_rule("false" + "||false" * 500 + "||true").is_true({})
    assert compile_rule("true" + "&&true" * 500).is_true({})
    assert compile_rule("size([" + "true ? 1 : 2, " * 250 + "]) == 250").is_true({})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("hostile", Kind.UNSUPPORTED_VALUE),
        ("hostile.name", Kind.UNSUPPORTED_VALUE),
        ("set", Kind.UNSUPPORTED_VALUE),
        ("big", Kind.OVERFLOW),
        ("[big]", Kind.OVERFLOW),
        ("keys", Kind.UNSUPPORTED_VALUE),
        ("keys.all(k, true)", Kind.UNSUPPORTED_VALUE),
        ("keys[1]", "a"),
        ("half", Kind.UNSUPPORTED_VALUE),
        ("half == 'a'", False),
        ("half.matches('a')", False),
        ("string(bytes(half))", "?"),
        ("nul", Kind.UNSUPPORTED_VALUE),
        ("{nul: 1}", Kind.UNSUPPORTED_VALUE),
        ("'\\x00'", Kind.UNSUPPORTED_VALUE),
        ("tuple[1]", 2),
        ("tuple + [3]", [1, 2, 3]),
        ("t.matches('((a{1,100}){1,100}){1,100}')", Kind.INVALID_ARGUMENT),
        (f"t.matches('{'a' * 600}')", Kind.INVALID_ARGUMENT),
        ("t.matches('(a*)*b(a*)*c$')", False),
        ("timestamp(0).getHours('" + "a" * 3000 + "')", Kind.INVALID_ARGUMENT),
        ("duration('" + "1s" * 1000 + "')", Kind.INVALID_ARGUMENT),
        ("int('" + "1" * 3000 + "')", Kind.INVALID_ARGUMENT),
    ],
)
def test_hostile_values_end_in_failures_or_defined_values(source: str, expected: Any) -> None:
    try:
        found = compile_rule(source).evaluate(CONTEXT)
    except RuleFailed as failed:
        found = failed.kind
    assert found == expected


def test_a_budget_may_be_shared() -> None:
    budget, rule = Budget(steps=10), compile_rule("1 + 1")
    assert [rule.evaluate({}, budget=budget) for _ in range(3)] == [2, 2, 2]
    assert budget.steps == 1
    with pytest.raises(RuleFailed):
        rule.evaluate({}, budget=budget)


def test_the_settings_bound_rules(settings: Any) -> None:
    settings.AUTOMATE_RULE_COST = 2
    with pytest.raises(RuleFailed, match="too many steps"):
        compile_rule("1 + 1").evaluate({})
    settings.AUTOMATE_RULE_COST = 10
    settings.AUTOMATE_RULE_MAX_BYTES = 5
    with pytest.raises(RuleFailed, match="too much data"):
        compile_rule("'a' + 'long text'").evaluate({})
    settings.AUTOMATE_RULE_MAX_LENGTH = 4
    with pytest.raises(RuleError, match="longer than 4 characters"):
        compile_rule("1 + 1")


def test_lazy_values_of_django_are_what_they_stand_for() -> None:
    with pytest.raises(RuleFailed):
        compile_rule("lazy").evaluate({"lazy": SimpleLazyObject(object)})
