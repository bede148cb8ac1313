"""The OpenAPI description and the API agree: requests made from the one, by schemathesis, are answered as it says.

What is tried is the same on each run. `AUTOMATE_TEST_WALK=full` tries much more, and something else each time.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.files.base import File
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import override_settings
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.automate_api.v1.test_schema_completeness import misfits
from tests.upstream import FakeUpstream
from tests.walk.operations import Operation
from tests.walk.policy import POLICIES
from tests.walk.test_bad_input import KNOWN, undone
from tests.walk.test_walk import OPERATIONS
from tests.walk.walk import Walk
from tests.walk.world import Caller, World

pytestmark = pytest.mark.slow

FULL = os.environ.get("AUTOMATE_TEST_WALK") == "full"

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

#: Pages are no part of the API that is described.
DESCRIBED = [operation for operation in KNOWN if operation.name.partition(":")[2] not in {"docs", "redoc"}]


@pytest.fixture(scope="module")
def connections_kept() -> Iterator[None]:
    """Requests leave the test's connection open, as the test client's do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def api(django_db_setup: None, connections_kept: None) -> Any:
    """The API as it describes itself to everybody."""
    with override_settings(AUTOMATE_API_PUBLIC_SCHEMA=True):
        return schemathesis.openapi.from_wsgi(reverse("automate_api:schema"), WSGIHandler())


def described(api: Any, operation: Operation) -> Any:
    """The operation as the schema has it."""
    path = reverse(operation.name, kwargs={name: f"keyword-{name}" for name in operation.keywords})
    for name in operation.keywords:
        path = path.replace(f"keyword-{name}", f"{{{_shown(name)}}}")
    return api[path][operation.method]


def _shown(keyword: str) -> str:
    """What a keyword of a route is called in the schema."""
    return "id" if keyword == "pk" else keyword


def attempts(operation: Any, mode: GenerationMode, walk: Walk) -> st.SearchStrategy[Any]:
    """Requests from the schema: with ids it made up, and with those of rows that are there."""
    names = {name: str(walk.world.own(places[0], walk.owner)) for name, places in walk.policy.path.items()}
    names |= walk.policy.given
    query = {name: walk.world.own(place, walk.owner) for name, place in walk.policy.query.items()} | walk.policy.asked
    known: dict[str, Any] = {"path_parameters": {_shown(name): value for name, value in names.items()}} if names else {}
    known |= {"query": query} if query else {}
    # What is no organization's name is the host's to answer.
    fixed: dict[str, Any] = {"path_parameters": names} if "organization" in names else {}
    known |= fixed
    made_up = operation.as_strategy(generation_mode=mode, **fixed)
    return made_up | operation.as_strategy(generation_mode=mode, **known) if known else made_up


def good_values(walk: Walk) -> dict[str, Any]:
    """The values of a body that would succeed; of a file its bytes."""
    body = walk.body(walk.owner) or {}
    return {name: value.read() if isinstance(value, File) else value for name, value in body.items()}


def statuses(walk: Walk, api: Any, caller: Caller, mode: GenerationMode, examples: int) -> set[int]:
    """Ask so many times, each time keeping some of a good body's values, and check each answer."""
    good = good_values(walk)
    seen = set()

    @settings(
        max_examples=examples,
        derandomize=not FULL,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=attempts(described(api, walk.operation), mode, walk),
        kept=st.just(set(good)) | st.sets(st.sampled_from(sorted(good))) if good else st.just(set()),
    )
    def attempt(case: Any, kept: set[str]) -> None:
        if isinstance(case.body, dict):
            # All of it, and nothing that goes not with it; else some of it.
            case.body = good if kept == set(good) != set() else case.body | {name: good[name] for name in kept}
        with undone():
            answer = case.call(headers=caller.headers)
            seen.add(answer.status_code)
            if answer.headers.get("content-type") == ["text/event-stream"]:
                check_events(api, answer.text)
                case.validate_response(answer, checks=CHECKS, excluded_checks=[response_schema_conformance])
            else:
                case.validate_response(answer, checks=CHECKS)

    attempt()
    return seen


def check_events(api: Any, text: str) -> None:
    """Each event of a stream has the form it is described with: the parsed number, name and data.

    Schemathesis takes the description for one of the frame's unparsed lines, as OpenAPI 3.2 has it.
    """
    frames = [frame for frame in text.split("\n\n") if frame and not frame.startswith((":", "retry:"))]
    assert frames
    if frames[-1] == "data: [DONE]":
        for frame in frames[:-1]:
            chunk = json.loads(frame.removeprefix("data: "))
            assert misfits(api.raw_schema, {"$ref": "#/components/schemas/AutomateChunk"}, chunk) == []
        return
    for frame in frames:
        event = dict(line.split(": ", 1) for line in frame.split("\n"))
        parsed = {"id": int(event["id"]), "event": event["event"], "data": json.loads(event["data"])}
        assert misfits(api.raw_schema, {"$ref": "#/components/schemas/AutomateRunEvent"}, parsed) == []


@pytest.mark.parametrize("operation", DESCRIBED, ids=lambda operation: operation.key)
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize(("person", "share"), [("staff", 1), ("bob", 3)], ids=["staff", "member"])
def test_answers_are_as_described(
    operation: Operation,
    mode: GenerationMode,
    person: str,
    share: int,
    world: World,
    api: Any,
    upstream: FakeUpstream,
) -> None:
    walk = Walk(operation, POLICIES[operation.key], world, lambda: len(upstream.requests))
    caller, is_good = walk.signed(getattr(world, person)), person == "staff" and mode.is_positive
    seen = statuses(walk, api, caller, mode, (100 if FULL else 9) // share)
    if is_good and walk.policy.status not in seen:
        # Which are tried first changes with every change of the description.
        seen = statuses(walk, api, caller, mode, 100)
    assert walk.policy.status in seen or not is_good, "No request was good, so that little was proved."


def test_every_operation_that_is_described_is_walked(api: Any) -> None:
    found = {(path, method) for path, item in api.raw_schema["paths"].items() for method in item}
    labels = {described(api, operation).label for operation in DESCRIBED}
    # Nobody but a sender who signs gets an answer there: those have tests of their own.
    signed = {described(api, operation).label for operation in OPERATIONS if POLICIES[operation.key].is_public}
    assert {f"{method.upper()} {path}" for path, method in found} == labels | signed
