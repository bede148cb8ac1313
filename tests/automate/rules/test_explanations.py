"""Explanations, beside those that were made by hand."""

import json
from typing import Any

import pytest

from automate.rules import Budget, compile_rule

CONTEXT = {
    "total": 150,
    "status": "paid",
    "urgent": False,
    "tags": ["new", "gift"],
    "lines": [{"sku": "A1", "n": 1}, {"sku": "B2", "n": 5}, {"n": 2}],
    "ship": {"city": "Graz", "zip": "8010"},
    "text": 300 * "x",
    "mixed": [1, "a", 5],
}

#: Rules, reasons, and trees: text, value or kind of failure or "-" where it was not evaluated, variables, children.
CASES: list[tuple[str, str, tuple[Any, ...]]] = [
    (
        "total > 100",
        "True: “total” (150) is greater than 100.",
        ("total > 100", True, [("total", 150), ("100", 100)]),
    ),
    (
        "total > 200",
        "False: “total” (150) is not greater than 200.",
        ("total > 200", False, [("total", 150), ("200", 200)]),
    ),
    (
        "status == 'paid' && total > 200",
        "False: “total” (150) is not greater than 200.",
        (
            "status == 'paid' && total > 200",
            False,
            [
                ("status == 'paid'", True, [("status", "paid"), ("'paid'", "paid")]),
                ("total > 200", False, [("total", 150), ("200", 200)]),
            ],
        ),
    ),
    (
        "status == 'open' && total > 200",
        "False: “status” (\"paid\") does not equal 'open'.",
        (
            "status == 'open' && total > 200",
            False,
            [("status == 'open'", False, [("status", "paid"), ("'open'", "open")]), ("total > 200", "-")],
        ),
    ),
    (
        "total > 200 || status == 'paid'",
        "True: “status” (\"paid\") equals 'paid'.",
        (
            "total > 200 || status == 'paid'",
            True,
            [
                ("total > 200", False, [("total", 150), ("200", 200)]),
                ("status == 'paid'", True, [("status", "paid"), ("'paid'", "paid")]),
            ],
        ),
    ),
    (
        "ship.street == 1 || total > 100",
        (
            "True: “total” (150) is greater than 100; "
            "that “ship.street == 1” fails does not matter (There is no key “street”)."
        ),
        (
            "ship.street == 1 || total > 100",
            True,
            [
                (
                    "ship.street == 1",
                    "no_such_key",
                    [("ship.street", "no_such_key", [("ship", {"city": "Graz", "zip": "8010"})]), ("1", "-")],
                ),
                ("total > 100", True, [("total", 150), ("100", 100)]),
            ],
        ),
    ),
    (
        "ship.street == 1 && total > 200",
        (
            "False: “total” (150) is not greater than 200; "
            "that “ship.street == 1” fails does not matter (There is no key “street”)."
        ),
        (
            "ship.street == 1 && total > 200",
            False,
            [
                (
                    "ship.street == 1",
                    "no_such_key",
                    [("ship.street", "no_such_key", [("ship", {"city": "Graz", "zip": "8010"})]), ("1", "-")],
                ),
                ("total > 200", False, [("total", 150), ("200", 200)]),
            ],
        ),
    ),
    (
        "ship.street == 1 || total > 200",
        "There is no value: “ship.street” fails: There is no key “street”.",
        (
            "ship.street == 1 || total > 200",
            "no_such_key",
            [
                (
                    "ship.street == 1",
                    "no_such_key",
                    [("ship.street", "no_such_key", [("ship", {"city": "Graz", "zip": "8010"})]), ("1", "-")],
                ),
                ("total > 200", False, [("total", 150), ("200", 200)]),
            ],
        ),
    ),
    (
        "!urgent && has(ship.city)",
        "True: “urgent” is false; there is “ship.city”.",
        (
            "!urgent && has(ship.city)",
            True,
            [
                ("!urgent", True, [("urgent", False)]),
                ("has(ship.city)", True, [("ship", {"city": "Graz", "zip": "8010"})]),
            ],
        ),
    ),
    (
        "has(ship.note)",
        "False: there is no “ship.note”.",
        ("has(ship.note)", False, [("ship", {"city": "Graz", "zip": "8010"})]),
    ),
    (
        "status in ['open', 'paid']",
        "True: “status” (\"paid\") is in ['open', 'paid'].",
        (
            "status in ['open', 'paid']",
            True,
            [("status", "paid"), ("['open', 'paid']", ["open", "paid"], [("'open'", "open"), ("'paid'", "paid")])],
        ),
    ),
    (
        "lines.exists(l, l.sku.startsWith('B'))",
        "True: “l.sku.startsWith('B')” holds for “lines[1]”: “l.sku” (\"B2\") starts with 'B'.",
        (
            "lines.exists(l, l.sku.startsWith('B'))",
            True,
            [
                ("lines", [{"sku": "A1", "n": 1}, {"sku": "B2", "n": 5}, {"n": 2}]),
                (
                    "l.sku.startsWith('B')",
                    True,
                    {"l": {"sku": "B2", "n": 5}},
                    [("l.sku", "B2", [("l", {"sku": "B2", "n": 5})]), ("'B'", "B")],
                ),
            ],
        ),
    ),
    (
        "lines.all(l, l.n < 5)",
        "False: “l.n < 5” does not hold for “lines[1]”: “l.n” (5) is not less than 5.",
        (
            "lines.all(l, l.n < 5)",
            False,
            [
                ("lines", [{"sku": "A1", "n": 1}, {"sku": "B2", "n": 5}, {"n": 2}]),
                (
                    "l.n < 5",
                    False,
                    {"l": {"sku": "B2", "n": 5}},
                    [("l.n", 5, [("l", {"sku": "B2", "n": 5})]), ("5", 5)],
                ),
            ],
        ),
    ),
    (
        "lines.exists(l, l.sku == 'Z')",
        "There is no value: at “lines[2]”, “l.sku” fails: There is no key “sku”.",
        (
            "lines.exists(l, l.sku == 'Z')",
            "no_such_key",
            [
                ("lines", [{"sku": "A1", "n": 1}, {"sku": "B2", "n": 5}, {"n": 2}]),
                (
                    "l.sku == 'Z'",
                    "no_such_key",
                    {"l": {"n": 2}},
                    [("l.sku", "no_such_key", [("l", {"n": 2})]), ("'Z'", "-")],
                ),
            ],
        ),
    ),
    (
        "tags.exists(t, t == 'z')",
        "False: “t == 'z'” holds for none of the 2 members of “tags”.",
        (
            "tags.exists(t, t == 'z')",
            False,
            [("tags", ["new", "gift"]), ("t == 'z'", False, {"t": "new"}, [("t", "new"), ("'z'", "z")])],
        ),
    ),
    (
        "tags.all(t, size(t) > 2)",
        "True: “size(t) > 2” holds for all 2 members of “tags”.",
        (
            "tags.all(t, size(t) > 2)",
            True,
            [
                ("tags", ["new", "gift"]),
                ("size(t) > 2", True, {"t": "new"}, [("size(t)", 3, [("t", "new")]), ("2", 2)]),
            ],
        ),
    ),
    (
        "[].all(t, t)",
        "True: “[]” is empty.",
        ("[].all(t, t)", True, [("[]", []), ("t", "-")]),
    ),
    (
        "tags.exists_one(t, t.contains('i'))",
        "True: “t.contains('i')” holds for “tags[1]” alone.",
        (
            "tags.exists_one(t, t.contains('i'))",
            True,
            [("tags", ["new", "gift"]), ("t.contains('i')", True, {"t": "gift"}, [("t", "gift"), ("'i'", "i")])],
        ),
    ),
    (
        "ship.exists(k, k == 'zip')",
        "True: “k == 'zip'” holds for the key \"zip\" of “ship”: “k” (\"zip\") equals 'zip'.",
        (
            "ship.exists(k, k == 'zip')",
            True,
            [
                ("ship", {"city": "Graz", "zip": "8010"}),
                ("k == 'zip'", True, {"k": "zip"}, [("k", "zip"), ("'zip'", "zip")]),
            ],
        ),
    ),
    (
        "total > 100 ? urgent : true",
        "False: “total” (150) is greater than 100; so “urgent” counts; “urgent” is false.",
        (
            "total > 100 ? urgent : true",
            False,
            [("total > 100", True, [("total", 150), ("100", 100)]), ("urgent", False), ("true", "-")],
        ),
    ),
    (
        "total + 1",
        "The value is 151.",
        ("total + 1", 151, [("total", 150), ("1", 1)]),
    ),
    (
        "lines.exists(l, l.n / 0 == 1)",
        "There is no value: at “lines[0]”, “l.n / 0” fails: Division by zero.",
        (
            "lines.exists(l, l.n / 0 == 1)",
            "division_by_zero",
            [
                ("lines", [{"sku": "A1", "n": 1}, {"sku": "B2", "n": 5}, {"n": 2}]),
                (
                    "l.n / 0 == 1",
                    "division_by_zero",
                    {"l": {"sku": "A1", "n": 1}},
                    [
                        ("l.n / 0", "division_by_zero", [("l.n", 1, [("l", {"sku": "A1", "n": 1})]), ("0", 0)]),
                        ("1", "-"),
                    ],
                ),
            ],
        ),
    ),
    (
        "(total - 50) * 2 >= total",
        "True: “(total - 50) * 2” (200) is at least “total” (150).",
        (
            "(total - 50) * 2 >= total",
            True,
            [
                ("(total - 50) * 2", 200, [("(total - 50)", 100, [("total", 150), ("50", 50)]), ("2", 2)]),
                ("total", 150),
            ],
        ),
    ),
    (
        "text != 'y'",
        f"True: “text” (\"{79 * 'x'}…) does not equal 'y'.",
        ("text != 'y'", True, [("text", f"{100 * 'x'}…"), ("'y'", "y")]),
    ),
    (
        "mixed.exists(m, m > 4)",
        "True: “m > 4” holds for “mixed[2]”: “m” (5) is greater than 4; that it fails for 1 member does not matter.",
        ("mixed.exists(m, m > 4)", True, [("mixed", [1, "a", 5]), ("m > 4", True, {"m": 5}, [("m", 5), ("4", 4)])]),
    ),
    (
        "[1, 2].exists(x, [3, 4].exists(y, x + y == 6))",
        (
            "True: “[3, 4].exists(y, x + y == 6)” holds for “[1, 2][1]”: "
            "“x + y == 6” holds for “[3, 4][1]”: “x + y” (6) equals 6."
        ),
        (
            "[1, 2].exists(x, [3, 4].exists(y, x + y == 6))",
            True,
            [
                ("[1, 2]", [1, 2], [("1", 1), ("2", 2)]),
                (
                    "[3, 4].exists(y, x + y == 6)",
                    True,
                    {"x": 2},
                    [
                        ("[3, 4]", [3, 4], [("3", 3), ("4", 4)]),
                        ("x + y == 6", True, {"y": 4}, [("x + y", 6, [("x", 2), ("y", 4)]), ("6", 6)]),
                    ],
                ),
            ],
        ),
    ),
]


def compact(tree: dict[str, Any]) -> tuple[Any, ...]:
    """A tree as the cases have it."""
    value = tree["error"]["kind"] if "error" in tree else tree["value"] if tree["evaluated"] else "-"
    variables = [tree["variables"]] if "variables" in tree else []
    children = [[compact(child) for child in tree["children"]]] if tree["children"] else []
    return (tree["text"], value, *variables, *children)


@pytest.mark.parametrize(("source", "reason", "tree"), CASES, ids=[case[0] for case in CASES])
def test_an_explanation_is_as_by_hand(source: str, reason: str, tree: tuple[Any, ...]) -> None:
    explanation = compile_rule(source).explain(CONTEXT)
    assert explanation.reason == reason
    assert compact(explanation.tree) == tree


def test_an_explanation_as_json_says_where_it_failed() -> None:
    rule = compile_rule("total > 1 &&\n  ship.street == 'x'")
    explained = rule.explain(CONTEXT).as_json()
    assert json.loads(json.dumps(explained)) == explained
    assert explained["error"] == {"kind": "no_such_key", "message": "There is no key “street”.", "line": 2, "column": 3}
    assert "value" not in explained
    for node in explained["tree"]["children"]:
        assert rule.source[node["start"] : node["end"]] == node["text"]


def test_long_values_are_cut_and_say_by_how_much() -> None:
    context = {
        "rows": [{"n": n, "deep": {"deeper": {"deepest": [1]}}} for n in range(50)],
        "wide": dict.fromkeys("abcdefghijkl"),
    }
    tree = compile_rule("size(rows) + size(wide)").explain(context).tree
    rows, wide = (call["children"][0]["value"] for call in tree["children"])
    assert rows[-1] == "… 40 more"
    assert rows[0] == {"n": 0, "deep": {"deeper": {"…": "… 1 more"}}}
    assert wide["…"] == "… 2 more"


def test_many_clauses_are_cut() -> None:
    reason = compile_rule(" && ".join(["total > 1"] * 20)).explain(CONTEXT).reason
    assert reason.count("is greater than") == 8
    assert reason.endswith("; 12 more like these.")


def test_what_costs_too_much_is_explained_as_that() -> None:
    explanation = compile_rule("lines.all(a, lines.all(b, true)) || true").explain(CONTEXT, budget=Budget(steps=12))
    assert explanation.error is not None
    assert explanation.error["kind"] == "too_costly"
    assert "takes too many steps" in explanation.reason


def test_a_result_that_is_too_large_fails_in_an_explanation_too() -> None:
    explanation = compile_rule("text").explain(CONTEXT, budget=Budget(size=100))
    assert explanation.error is not None
    assert explanation.error["kind"] == "too_costly"
