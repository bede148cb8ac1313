"""The settings of a step in a run."""

from typing import Any

import pytest

from automate.graph.leaves import ValueFailed
from automate.graph.resolving import Settings
from automate.graph.values import InvalidValue
from tests.automate.step_types import BRANCH, FOR_EACH, HTTP, Declared, settings

SCOPE: dict[str, Any] = {"event": {"payload": {"url": "https://shop.example", "items": [1, 2]}}, "steps": {}}


def test_values_are_resolved_and_what_decides_the_graph_stays_as_it_is() -> None:
    branch = {"cases": [{"when": "1 == 1", "next": "a"}], "otherwise": "b"}
    assert Settings(branch, BRANCH).resolve(SCOPE) == branch
    body = [{"name": "one", "type": "set", "with": {"values": {"a": {"cel": "item"}}}}]
    each = {"items": {"cel": "event.payload.items"}, "steps": body, "output": {"cel": "steps.one.output.a + 1"}}
    compiled = Settings(each, FOR_EACH)
    resolved = compiled.resolve(SCOPE)
    assert resolved == {"items": [1, 2], "steps": body}
    assert compiled.check(resolved) == []
    assert compiled.resolve_body_value("output", {"steps": {"one": {"output": {"a": 1}}}}) == 2
    assert Settings({"items": [], "steps": body}, FOR_EACH).resolve_body_value("output", SCOPE) is None


def test_what_could_not_be_known_before_is_checked_once_it_is() -> None:
    http = Settings({"method": "GET", "url": {"cel": "event.payload.items"}}, HTTP)
    resolved = http.resolve(SCOPE)
    assert [(error.field, error.code) for error in http.check(resolved)] == [("with.url", "type")]


def test_secrets_come_only_to_whoever_brings_them_and_only_where_they_may_stand() -> None:
    http = Settings({"method": "GET", "url": "x", "headers": {"A": {"secret": "shop"}}}, HTTP)
    assert http.resolve(SCOPE)["headers"] == {"A": "[secret shop]"}
    assert http.resolve(SCOPE, secrets={"shop": "s"})["headers"] == {"A": "s"}
    with pytest.raises(InvalidValue):
        Settings({"method": "GET", "url": {"secret": "shop"}}, HTTP)


def test_a_failure_names_the_setting() -> None:
    http = Settings({"method": "GET", "url": "x", "body": {"a": [{"path": "$.event.nothing"}]}}, HTTP)
    with pytest.raises(ValueFailed) as caught:
        http.resolve(SCOPE)
    assert caught.value.place == "body.a.0"


def test_settings_as_a_whole_are_no_expression() -> None:
    read = Declared("read", settings("path", path={"type": "string"}))
    assert Settings({"path": "/tmp"}, read).resolve(SCOPE) == {"path": "/tmp"}
