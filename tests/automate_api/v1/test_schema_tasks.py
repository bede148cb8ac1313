"""The input and the parameters of task types in the OpenAPI description, those of a host's capabilities too."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from django.utils.translation import gettext_lazy as _

from automate_api.engine import capability as engine
from automate_api.engine.capability import Capability, RunContext
from automate_api.engine.events import RunEvent
from automate_api.v1.schema.parts import Names, parts_of
from automate_api.v1.views.schema import OpenApiJsonRenderer, cache
from tests.schema.description import VERSIONS, described

Register = Callable[..., None]

TREE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://example.com/tree",
    "$ref": "#/$defs/Node",
    "$defs": {
        "Node": {
            "type": "object",
            "title": _("A node"),
            "properties": {
                "colour": {"$ref": "#/$defs/colour"},
                "kind": {"const": "node"},
                "size": {"enum": ["s", "m", None]},
                "sizes": {"type": "array", "items": {"enum": [1, 2]}},
                "nothing": {"type": "null"},
                "forbidden": False,
                "anything": True,
                "children": {"type": "array", "items": {"$ref": "#node"}},
                "lost": {"$ref": "#/$defs/lost"},
                "none": {"$ref": "#/$defs/Node/properties/size/enum/0"},
                "either": {"oneOf": [{"properties": {"status": {"enum": ["a"]}}}, {"type": ["object", "null"]}]},
            },
            "patternProperties": {"^x-": {"type": "string"}},
            "dependentRequired": {"kind": ["size"]},
            "$anchor": "node",
        },
        "colour": {"enum": ["red"], "discriminator": "no object"},
    },
}


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Registers a capability with these attributes, as long as the test runs."""

    def registered(task_type: str, **attributes: Any) -> None:
        async def run(self: Any, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
            yield  # type: ignore[misc]

        made: Any = type("Offered", (Capability,), {"task_type": task_type, "run": run, **attributes})
        monkeypatch.setitem(engine._registry, task_type, made())

    return registered


def components(version: str = "3.0.3", urlconf: str = "tests.urls") -> dict[str, Any]:
    """The schemas of a description made now, which is valid and without a warning."""
    found: dict[str, Any] = described.__wrapped__(urlconf, version)["components"]["schemas"]
    return found


def referred(node: Any) -> list[str]:
    """The names of the alternatives."""
    return [each["$ref"].rsplit("/", 1)[-1] for each in node["anyOf"]]


def test_a_run_takes_what_any_of_the_task_types_does(offer: Register) -> None:
    offer("words.count", input_schema={"type": "string", "maxLength": 9})
    offer("words.hidden", for_endpoints=False)
    request = components()["AutomateRunRequest"]["properties"]
    assert {"AutomateInputLlmChat", "AutomateInputWordsCount"} <= set(referred(request["input"]))
    assert {"AutomateParamsLlmChat", "AutomateParamsWordsCount"} <= set(referred(request["params"]))
    assert "input_schema" in request["input"]["description"]
    assert "`llm.chat`" in request["task_type"]["description"]
    assert "`words.count`" in request["task_type"]["description"]
    assert "enum" not in request["task_type"]
    assert "hidden" not in str(request).lower()
    said = {"description": "What `words.count` takes as `input`.", "type": "string", "maxLength": 9}
    assert components()["AutomateInputWordsCount"] == said


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("urlconf", ["tests.urls", "tests.hosts.rival.urls"])
def test_a_schema_of_a_host_may_be_as_rich_as_it_likes(offer: Register, version: str, urlconf: str) -> None:
    before = components(version, urlconf)
    offer("words.tree", input_schema=TREE, params_schema={"type": "object", "properties": {"input": {"enum": ["a"]}}})
    after = components(version, urlconf)
    own = set(after) - set(before)
    # Whatever it is made of is under our name: nothing of it takes a name of the host's.
    assert all(name.startswith(("AutomateInputWordsTree", "AutomateParamsWordsTree")) for name in own)
    assert {name: after[name] for name in before if name != "AutomateRunRequest"} == {
        name: form for name, form in before.items() if name != "AutomateRunRequest"
    }
    node = after["AutomateInputWordsTreeNode"]["properties"]
    assert node["children"]["items"] == {"$ref": "#/components/schemas/AutomateInputWordsTreeNode"}
    assert node["lost"] == node["none"] == node["anything"] == {}
    assert node["forbidden"] == {"not": {}}
    assert after["AutomateInputWordsTreeNodeSize"]["enum"] == ["s", "m", None]
    assert "$defs" not in str(after)
    assert TREE["$defs"]["Node"]["properties"]["size"] == {"enum": ["s", "m", None]}  # type: ignore[index]


def test_names_that_are_alike_do_not_clash(offer: Register) -> None:
    alike = ("words.count", "words_count", "words-count", "words.count.2", "слова")
    for number, task_type in enumerate(alike):
        schema = {"type": "object", "properties": {"all": {"enum": [number]}}}
        offer(task_type, input_schema=schema)
    offer("words.count.all", input_schema={"const": "all"})
    found = components("3.1.1")
    names = referred(found["AutomateRunRequest"]["properties"]["input"])
    assert len(names) == len(set(names)) == len(engine.task_types())
    members = [found[name].get("properties", {}) for name in names]
    shown = [member["all"]["$ref"].rsplit("/", 1)[-1] for member in members if "all" in member]
    values = {found[name]["enum"][0] for name in shown}
    assert values == set(range(len(alike)))
    assert found["AutomateInputWordsCountAll"]["const"] == "all"


@pytest.mark.parametrize(
    "schema",
    [{"type": "nothing"}, {"$ref": "https://example.com/other"}, {"pattern": "("}, {"enum": list(range(20_000))}],
)
def test_a_schema_that_checks_nothing_says_nothing(schema: Any) -> None:
    assert parts_of(schema, "Form", Names()) == {"Form": {}}


def test_objects_are_open_where_nothing_closes_them() -> None:
    assert parts_of({"type": "object"}, "Form", Names())["Form"]["additionalProperties"] == {}
    closed = {"allOf": [{"properties": {"a": {}}}], "type": "object", "unevaluatedProperties": False}
    assert parts_of(closed, "Form", Names()) == {"Form": closed}


def test_the_served_description_knows_what_was_registered_since(offer: Register) -> None:
    before = cache.get(None, OpenApiJsonRenderer)
    offer("words.later")
    after = cache.get(None, OpenApiJsonRenderer)
    assert b"AutomateInputWordsLater" in after
    assert b"AutomateInputWordsLater" not in before
    assert cache.get(None, OpenApiJsonRenderer) is after
