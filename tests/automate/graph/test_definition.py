"""A definition as the running sees it."""

from typing import Any

from hypothesis import given, settings

from automate.graph.definition import RETRIES, TIMEOUT, Graph, Node, parse, parse_steps, walk_steps
from automate.steps import get_step_type
from tests.automate.graphs import definitions

DEFINITION: dict[str, Any] = {
    "steps": [
        {"name": "ask", "type": "set", "with": {"values": {}}, "next": ["choose", "wait"], "on_error": "tell"},
        {
            "name": "choose",
            "type": "branch",
            "with": {
                "cases": [{"when": "true", "next": "done"}, {"when": "true", "next": "done"}],
                "otherwise": "tell",
            },
        },
        {"name": "wait", "type": "wait", "next": ["done"], "retries": 0, "timeout": 5},
        {"name": "tell", "type": "emit"},
        {"name": "done", "type": "set"},
    ],
}


def test_what_a_definition_does_not_say_has_a_default() -> None:
    found = parse({"steps": [{"name": "a", "type": "set"}]})
    assert (found.condition, found.input_schema, found.output) == ("", {}, None)
    assert found.steps == (Node("a", "set", {}, (), None, RETRIES, TIMEOUT),)


def test_a_graph_has_edges_for_whatever_may_come_next() -> None:
    steps = parse(DEFINITION).steps
    graph = Graph(steps, get_step_type)
    assert (steps[2].retries, steps[2].timeout) == (0, 5)
    assert graph.start_steps() == ("ask",)
    assert {name: graph.edges_of(name) for name in graph.nodes} == {
        "ask": ("choose", "wait", "tell"),
        "choose": ("done", "tell"),
        "wait": ("done",),
        "tell": (),
        "done": (),
    }
    assert graph.sources_of("tell") == ("ask", "choose")
    assert graph.sources_of("ask") == ()
    assert graph.ancestors("done") == {"ask", "choose", "wait"}
    assert graph.ancestors("ask") == frozenset()
    assert graph.leads("ask", "done")
    assert not graph.leads("wait", "tell")


def test_there_may_be_no_steps() -> None:
    assert Graph((), get_step_type).start_steps() == ()


@given(definitions())
@settings(max_examples=30, deadline=None)
def test_ancestors_are_whatever_comes_before(definition: dict[str, Any]) -> None:
    graph = Graph(parse(definition).steps, get_step_type)
    for name in graph.nodes:
        sources = graph.sources_of(name)
        assert graph.ancestors(name) == frozenset(sources).union(*(graph.ancestors(source) for source in sources))


def test_steps_are_walked_with_those_of_bodies_under_the_fields_of_their_errors() -> None:
    inner = {"name": "inner", "type": "set", "with": {"values": {}}}
    middle = {"name": "middle", "type": "for_each", "with": {"items": [], "steps": [inner]}}
    steps = parse_steps([{"name": "outer", "type": "for_each", "with": {"items": [], "steps": [middle]}}])
    assert [field for field, _node in walk_steps(steps, get_step_type)] == [
        "definition.steps.outer",
        "definition.steps.outer.with.steps.middle",
        "definition.steps.outer.with.steps.middle.with.steps.inner",
    ]
