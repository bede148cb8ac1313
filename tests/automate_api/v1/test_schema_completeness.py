"""The OpenAPI description as somebody reads it who writes a client: nothing is left to guess."""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import jsonschema
import pytest

from automate_api.engine.events import EventType
from automate_api.exceptions import ErrorCode
from automate_api.v1.schema.events import OPTIONAL
from automate_api.v1.schema.examples import EXAMPLES
from tests.guides import table, text_of
from tests.schema.description import (
    OTHER_PROTOCOLS,
    PUBLIC,
    VERSIONS,
    answers,
    bodies,
    described,
    examples,
    operation,
    operations,
    parameters,
    usual,
)

#: An archive of nothing is none, and models stand in the body.
NAMING_OTHERWISE = {
    "automate_api_prompt_log_download",
    "automate_openai_chat_completion",
    "automate_openai_embedding",
}
#: What of a trigger stands in a document depends on its kind; an explanation has a value or an error.
PARTLY = {"AutomateExplanation", "AutomateTriggerDocument"}
PLACEHOLDERS = {"string", "example", "foo"}


@pytest.fixture(params=VERSIONS)
def schema(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The package's, in each version of OpenAPI."""
    return described("tests.urls", request.param)


def components(schema: dict[str, Any]) -> dict[str, Any]:
    """The schemas by name."""
    found: dict[str, Any] = schema["components"]["schemas"]
    return found


def strings(value: Any) -> Iterator[str]:
    """Every string inside, but for the types in a JSON Schema."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from strings([inner for name, inner in value.items() if name != "type"])
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def strict(schema: Any) -> Any:
    """`schema` in the words of JSON Schema, refusing members that it does not name."""
    if isinstance(schema, list):
        return [strict(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: strict(inner) for name, inner in schema.items() if name not in {"nullable", "discriminator"}}
    if "properties" in schema and "additionalProperties" not in schema:
        kept["additionalProperties"] = False
    return {"anyOf": [kept, {"type": "null"}]} if schema.get("nullable") is True else kept


def misfits(schema: dict[str, Any], form: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value."""
    root = {"components": {"schemas": strict(components(schema))}, **strict(form)}
    return [error.message for error in jsonschema.Draft202012Validator(root).iter_errors(value)]


def test_every_operation_has_a_tag_a_summary_and_a_description(schema: dict[str, Any]) -> None:
    explained = {tag["name"] for tag in schema["tags"] if tag["description"]}
    for found in operations(schema):
        assert set(found["tags"]) <= explained, found["operationId"]
        assert found["summary"], found["operationId"]
        assert found["description"], found["operationId"]
        assert found["summary"] != found["description"]


def test_every_parameter_and_every_member_of_a_body_is_explained(schema: dict[str, Any]) -> None:
    for found in operations(schema):
        unexplained = [each["name"] for each in parameters(schema, found) if not each.get("description")]
        assert unexplained == [], found["operationId"]
    silent = [name for name, form in components(schema).items() if not form.get("description") and "anyOf" not in form]
    assert silent == []
    members = [
        f"{name}.{member}"
        for name, form in components(schema).items()
        for member, inner in form.get("properties", {}).items()
        if not inner.get("description") and "$ref" not in inner
    ]
    assert members == []


def test_every_operation_tells_the_errors_it_has(schema: dict[str, Any]) -> None:
    for found in usual(schema):
        told = set(found["responses"])
        assert {"400", "401", "403", "406", "429"} <= told, found["operationId"]
        names_something = any(each["in"] == "path" for each in parameters(schema, found))
        assert ("404" in told) == (names_something or found["operationId"] in NAMING_OTHERWISE)
        assert ({"411", "413", "415"} <= told) == ("requestBody" in found)
    run = operation(schema, "automate_api_endpoint_run")
    assert {"409", "422", "502", "503", "504"} <= set(run["responses"])
    test = operation(schema, "automate_api_provider_test")
    assert {"502", "504"}.isdisjoint(test["responses"])
    assert "503" in test["responses"]


def test_every_error_is_an_example_of_an_answer(schema: dict[str, Any]) -> None:
    told = [example for _id, _type, content in bodies(schema) for example in examples(content)]
    errors = [example.get("error") or example for example in told if isinstance(example, dict)]
    shown = {error["code"] for error in errors if {"code", "detail"} <= set(error) or {"code", "param"} <= set(error)}
    of_workers = {"worker_lost", "handler_failed"}
    of_steps = {"expression_failed", "output_too_large", "step_failed", "step_rejected"}
    of_workflows = {"workflow_failed", "workflow_too_deep"}
    # All but the first two end runs whose caller is not there.
    assert set(ErrorCode) - shown == {"method_not_allowed", "internal_error"} | of_workers | of_steps | of_workflows


def test_errors_have_their_headers(schema: dict[str, Any]) -> None:
    for found in operations(schema):
        errors = answers(schema, found)
        assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(errors["429"]["headers"])
        assert "401" not in errors or "WWW-Authenticate" in errors["401"]["headers"]
        assert "503" not in errors or "Retry-After" in errors["503"]["headers"]


def test_every_request_takes_and_every_answer_carries_a_correlation_id(schema: dict[str, Any]) -> None:
    for found in operations(schema):
        assert "X-Correlation-ID" in {each["name"] for each in parameters(schema, found) if each["in"] == "header"}
        assert all("X-Correlation-ID" in answer["headers"] for answer in answers(schema, found).values())


def test_every_post_takes_an_idempotency_key_but_those_that_only_read(schema: dict[str, Any]) -> None:
    posts = {path["post"]["operationId"] for path in schema["paths"].values() if "post" in path}
    posts -= {"automate_api_providers", "automate_workbench_list", "automate_workbench_list_filtered"}
    posts -= {"automate_rule_explain"}
    for found in operations(schema):
        told = answers(schema, found)
        takes = "Idempotency-Key" in {each["name"] for each in parameters(schema, found)}
        is_other = found["operationId"].startswith(OTHER_PROTOCOLS) or found["operationId"] in PUBLIC
        assert takes == (found["operationId"] in posts and not is_other)
        if takes:
            assert {"409", "422"} <= set(told)
            assert all("Idempotent-Replayed" in told[status]["headers"] for status in told if status < "300")
            [conflict] = told["409"]["content"].values()
            assert "idempotency_in_flight" in conflict["examples"]


def test_answers_are_described_in_words_of_their_own(schema: dict[str, Any]) -> None:
    phrases = {status.phrase for status in HTTPStatus}
    for found in operations(schema):
        told = {answer["description"] for answer in answers(schema, found).values()}
        assert told & phrases == set(), found["operationId"]
        assert "" not in told


def test_a_parameter_that_would_be_refused_is_not_offered(schema: dict[str, Any]) -> None:
    found = operation(schema, "automate_api_schema")
    assert "format" not in {each["name"] for each in parameters(schema, found)}


def test_every_body_has_an_example_that_fits_it(schema: dict[str, Any]) -> None:
    for operation_id, media_type, content in bodies(schema):
        assert examples(content), operation_id
        for example in examples(content):
            if media_type != "text/event-stream":
                assert misfits(schema, content["schema"], example) == [], operation_id


def test_examples_look_as_a_person_would_write_them(schema: dict[str, Any]) -> None:
    for operation_id, _media_type, content in bodies(schema):
        found = {text for example in examples(content) for text in strings(example)}
        assert found & PLACEHOLDERS == set(), operation_id


def test_every_example_is_of_a_component_and_complete(schema: dict[str, Any]) -> None:
    for name, example in EXAMPLES.items():
        form = components(schema).get(name)
        if form is not None and not name.endswith("Request"):
            whole = form["required"] if name in PARTLY else form["properties"]
            assert set(whole) <= set(example), name
    spare = [name for name in EXAMPLES if not {name, f"{name}Request"} & set(components(schema))]
    assert spare == ["AutomateIndex"]


def test_what_is_sent_and_what_is_answered_are_told_apart(schema: dict[str, Any]) -> None:
    sent, answered = components(schema)["AutomateProviderRequest"], components(schema)["AutomateProvider"]
    assert "api_key" in sent["properties"]
    assert "api_key" not in answered["properties"]
    assert {"id", "has_api_key"} <= set(answered["properties"])
    assert sent["required"] == ["base_url", "name"]
    assert sorted(answered["properties"]) == answered["required"]
    assert "required" not in components(schema)["AutomatePatchedProviderRequest"]
    assert not re.search(r"readOnly|writeOnly", str(schema))


def test_a_stream_has_events_each_with_its_own_data(schema: dict[str, Any]) -> None:
    found = operation(schema, "automate_modal_endpoint_stream")
    content = found["responses"]["200"]["content"]["text/event-stream"]
    assert content["schema"] == {"$ref": "#/components/schemas/AutomateRunEvent"}
    event = components(schema)["AutomateRunEvent"]
    assert set(event["discriminator"]["mapping"]) == {str(kind) for kind in EventType}
    assert [each["$ref"] for each in event["oneOf"]] == list(event["discriminator"]["mapping"].values())


def test_the_data_of_events_is_what_the_reference_says(schema: dict[str, Any]) -> None:
    for event, data, _when in table(text_of("reference/events.md"), "event", "data", "when"):
        form = components(schema)[f"Automate{event.title()}EventData"]
        written = re.findall(r"\w+\??", data)
        assert list(form.get("properties", {})) == [name.rstrip("?") for name in written]
        optional = {name.rstrip("?") for name in written if name.endswith("?")}
        assert set(form.get("properties", {})) - set(form.get("required", ())) == optional
        assert optional == set(OPTIONAL.get(EventType(event), ()))


def test_the_examples_of_a_stream_are_streams_of_such_events(schema: dict[str, Any]) -> None:
    found = operation(schema, "automate_modal_endpoint_stream")
    content = found["responses"]["200"]["content"]["text/event-stream"]
    for stream in examples(content):
        events = [event_of(frame) for frame in stream.split("\n\n") if frame and not frame.startswith(":")]
        assert [misfits(schema, content["schema"], event) for event in events] == [[]] * len(events)
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        assert [event["event"] in {"final", "error"} for event in events] == [False] * (len(events) - 1) + [True]


def event_of(frame: str) -> dict[str, Any]:
    """A frame as the schema has it."""
    fields = dict(line.split(": ", 1) for line in frame.splitlines())
    return {"id": int(fields["id"]), "event": fields["event"], "data": json.loads(fields["data"])}


def test_what_may_be_anything_may_be_null(schema: dict[str, Any]) -> None:
    failed = {
        **EXAMPLES["AutomateExecution"],
        "output": None,
        "usage": None,
        "cost": None,
        "error": {"code": "x", "detail": "y"},
    }
    assert misfits(schema, {"$ref": "#/components/schemas/AutomateExecution"}, failed) == []


def test_there_is_a_server_and_a_title(schema: dict[str, Any]) -> None:
    assert schema["servers"] == [{"url": "/"}]
    assert schema["info"]["title"]


def test_all_names_are_ours(schema: dict[str, Any]) -> None:
    for kind, named in schema["components"].items():
        assert all(name.startswith("Automate") for name in named if name != "cookieAuth"), kind
