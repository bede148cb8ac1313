"""Singular queries of RFC 9535: they lead to one place, and say where they lead nowhere."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automate.graph.query import MOST_CHARACTERS, NoSuchNode, QueryError, compile_query, normalized

ROOT: dict[str, Any] = {
    "o": {"j j": {"k.k": 3}, "'": {"@": 2}, "": 1, "\U0001d11e": 4, "a\nb": 5, "é": 6},
    "a": ["x", ["y", "z"]],
    "none": None,
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$", ROOT),
        ("$.o['j j']['k.k']", 3),
        ('$.o["j j"]["k.k"]', 3),
        ("$['o']['\\'']['@']", 2),
        ('$["o"]["\'"]["@"]', 2),
        ("$.o['']", 1),
        ("$.o['\\uD834\\uDD1E']", 4),
        ("$.o.\U0001d11e", 4),
        ("$.o['a\\nb']", 5),
        ("$.o.é", 6),
        ("$.o['\\u00e9']", 6),
        ("$.a[0]", "x"),
        ("$.a[-1][ -2 ]", "y"),
        ("$ .a\t[1]\n[1]", "z"),
        ("$.none", None),
    ],
)
def test_a_query_leads_to_one_value(text: str, found: Any) -> None:
    assert compile_query(text).find(ROOT) == found


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("$.b", "$.b"),
        ("$.o.b.c", "$.o.b"),
        ("$.o['j j'].x", "$.o['j j'].x"),
        ("$.a[2]", "$.a[2]"),
        ("$.a[-3]", "$.a[-3]"),
        ("$.a.length", "$.a.length"),
        ("$.o[0]", "$.o[0]"),
        ("$.a[0][0]", "$.a[0][0]"),
        ("$.none.x", "$.none.x"),
        ("$.o.__class__", "$.o.__class__"),
    ],
)
def test_a_query_that_leads_nowhere_says_which_part_is_not_there(text: str, part: str) -> None:
    with pytest.raises(NoSuchNode) as caught:
        compile_query(text).find(ROOT)
    assert caught.value.part == part


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1),
        ("a", 1),
        (" $", 1),
        ("$ ", 2),
        ("$.", 2),
        ("$..a", 2),
        ("$.*", 2),
        ("$[*]", 2),
        ("$.a[0:1]", 4),
        ("$.a[0,1]", 4),
        ("$.a[?@.b]", 4),
        ("$.a[01]", 4),
        ("$.a[-0]", 4),
        ("$.a[+1]", 4),
        ("$.a[1.0]", 4),
        ("$.1a", 2),
        ("$.a-b", 4),
        ("$['a]", 2),
        ("$['a\"]", 2),
        ("$['a\nb']", 2),
        ("$['\\x41']", 2),
        ("$['\\\"']", 2),
        ("$['\\uD834']", 2),
        ("$['\\uDD1E']", 2),
        ("$['\ud800']", 2),
        ("$.a[9007199254740992]", 5),
        ("$.a[" + "9" * 900 + "]", 5),
        ("$" + ".a" * MOST_CHARACTERS, 1),
    ],
)
def test_whatever_else_there_is_in_jsonpath_is_refused_where_it_stands(text: str, column: int) -> None:
    with pytest.raises(QueryError) as caught:
        compile_query(text)
    assert caught.value.column == column


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.lists(names | st.integers(-3, 3), max_size=5), st.sampled_from("'\""))
def test_any_name_can_be_written_in_quotes(segments: list[str | int], quote: str) -> None:
    def written(segment: str | int) -> str:
        if isinstance(segment, int):
            return f"[{segment}]"
        escaped = "".join(f"\\u{ord(c):04x}" if c < " " else f"\\{c}" if c in f"\\{quote}" else c for c in segment)
        return f"[{quote}{escaped}{quote}]"

    assert compile_query("$" + "".join(map(written, segments))).segments == tuple(segments)


@given(st.text(max_size=30).map("$".__add__))
def test_a_text_is_a_query_or_an_error(text: str) -> None:
    try:
        query = compile_query(text)
    except QueryError as error:
        found = error.column
    else:
        found = len(normalized(query.segments))
    assert found >= 1
