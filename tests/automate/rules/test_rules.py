"""What rules promise beside the language itself."""

import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy

from automate.rules import Kind, RuleError, RuleFailed, Type, compile_rule, parsing
from automate_api.exceptions import NotConfigured


def test_a_rule_is_compiled_once() -> None:
    assert compile_rule("1 + 1") is compile_rule("1 + 1")


def test_rules_compile_in_many_threads_at_once() -> None:
    sources = [f"n + {number} * 2 > {number}" for number in range(40)]
    found: list[bool] = []

    def compile_all() -> None:
        found.extend(compile_rule(source).is_true({"n": 5}) for source in sources)

    threads = [threading.Thread(target=compile_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 160


def test_a_rule_is_true_or_false_or_fails() -> None:
    assert compile_rule("n > 1").is_true({"n": 2}) is True
    assert compile_rule("n > 1").is_true({"n": 1}) is False
    with pytest.raises(RuleFailed) as failed:
        compile_rule("n + 1").is_true({"n": 1})
    assert failed.value.kind is Kind.NOT_A_BOOL


def test_an_error_says_where() -> None:
    with pytest.raises(RuleError) as refused:
        compile_rule("true &&\n  1 +* 2")
    assert (refused.value.line, refused.value.column, refused.value.start) == (2, 6, 13)
    assert refused.value.message == "“*” is not expected here."
    assert isinstance(refused.value, ValueError)


def test_a_failure_says_where() -> None:
    with pytest.raises(RuleFailed) as failed:
        compile_rule("true &&\n  (n / 0 == 1)").evaluate({"n": 1})
    assert (failed.value.line, failed.value.column, failed.value.start, failed.value.end) == (2, 4, 11, 16)
    assert str(failed.value) == failed.value.message == "Division by zero."


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("steps.ask.output == event.payload['kind']", {"steps.ask.output", "event.payload.kind"}),
        ("steps[event.type].output", {"steps", "event.type"}),
        ("has(steps.ask.output)", {"steps.ask.output"}),
        ("items.map(i, i.sku + n).exists(s, s == i)", {"items", "n", "i"}),
        ("items.exists(items, items.a)", {"items"}),
        ("items.exists(n, .n == n.a)", {"items", "n"}),
        ("run['odd key'].x + run['a'].b[0].c", {"run", "run.a.b"}),
        ("{'a': n}.a + [m][0] + f.size()", {"n", "m", "f"}),
        ("type(n) == int || n == google.protobuf.Timestamp", {"n"}),
        ("(steps.ask).output ? a : b", {"steps.ask.output", "a", "b"}),
    ],
)
def test_a_rule_knows_its_names(source: str, names: set[str]) -> None:
    assert compile_rule(source).names == names


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("n + 1", Type.INT),
        ("n > 1.5", Type.BOOL),
        ("event.payload.total + 1", Type.INT),
        ("event.payload.total", Type.DYN),
        ("steps.ask.output", Type.STRING),
        ("steps['ask'].output", Type.STRING),
        ("size(steps.ask.output)", Type.INT),
        ("n > 1 ? 'a' : 'b'", Type.STRING),
        ("n > 1 ? 'a' : 1", Type.DYN),
        ("event.list.map(i, i.a)", Type.LIST),
        ("event.list.exists(n, n.x)", Type.BOOL),
        ("has(event.x) && event.x", Type.BOOL),
        ("timestamp(event.at) - timestamp(0)", Type.DURATION),
        ("event.at - timestamp(0)", Type.DURATION),
        ("event.at - event.then", Type.DYN),
        ("dyn(n)", Type.DYN),
        ("n == null", Type.BOOL),
        ("type(n)", Type.TYPE),
        ("{'a': n}", Type.MAP),
        ("null", Type.NULL),
    ],
)
def test_a_rule_knows_its_type(source: str, expected: Type) -> None:
    types = {"n": Type.INT, "steps.ask.output": Type.STRING, "event": Type.MAP}
    assert compile_rule(source).type_of(types) is expected


@pytest.mark.parametrize(
    "source",
    [
        "'a' + 1",
        "n + 1.5",
        "n + steps.ask.output",
        "n && true",
        "!n",
        "n ? 1 : 2",
        "n.field",
        "has(n.field)",
        "n['a']",
        "event.list[null]",
        "n in n",
        "'a' == 1",
        "n == steps.ask.output",
        "n.exists(i, i)",
        "event.list.all(i, 1)",
        "event.list.map(i, 1, 2)",
        "{1.5: 1}",
        "-true",
        "n < 'a'",
        "n.startsWith('a')",
        "[n + 'a']",
        "true || n",
    ],
)
def test_what_no_value_makes_right_is_refused(source: str) -> None:
    types = {"n": Type.INT, "steps.ask.output": Type.STRING, "event": Type.MAP}
    with pytest.raises(RuleError):
        compile_rule(source).type_of(types)


class Colour(TextChoices):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00Z"),
        (datetime(2026, 3, 1, 12), "2026-03-01T12:00:00Z"),  # noqa: DTZ001 - as Django has it without time zones
        (date(2026, 3, 1), "2026-03-01"),
        (timedelta(seconds=1.5), "1.5s"),
        (Decimal("1.50"), 1.5),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "red"),
        (gettext_lazy("red"), "red"),
        (b"a", "YQ=="),
        (MappingProxyType({"a": (1,)}), {"a": [1]}),
        (float("inf"), "Infinity"),
    ],
)
def test_values_of_python_are_what_they_stand_for(value: Any, expected: Any) -> None:
    assert compile_rule("[v][0]").evaluate({"v": value}) == expected


def test_importing_rules_imports_no_optional_package() -> None:
    code = "import sys, automate.rules; print(sorted({'celpy', 'lark', 're2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_without_the_extra_compiling_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "_parser", None)
    monkeypatch.setattr(parsing, "find_spec", lambda name: None)
    with pytest.raises(NotConfigured, match=r"django-automate-api\[workflows\]"):
        compile_rule("'never compiled before' == ''")
