"""What form answers take."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from automate_api.v1.base import BaseAPIView
from automate_api.v1.negotiation import JSONRenderer, accepts_event_stream
from tests.factories import make_user
from tests.hosts.shop.people import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.shop.urls")]


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/json",
        "application/*",
        "text/html, */*;q=0.8",
        "text/event-stream",
        "text/event-stream;q=1",
        "",
    ],
)
def test_json_answers_whoever_can_take_it_and_whoever_asks_for_events(accept: str) -> None:
    answer = signed_in().get("/echo/", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense"])
def test_whoever_cannot_take_json_is_told(accept: str) -> None:
    answer = signed_in().get("/echo/", headers={"Accept": accept})
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/event-stream", True),
        ("application/json, Text/Event-Stream; q=0.5", True),
        ("*/*", False),
        ("text/*", False),
        ("application/json", False),
        ("", False),
    ],
)
def test_events_are_wanted_where_they_are_named(accept: str, wanted: bool) -> None:
    assert accepts_event_stream(Request(APIRequestFactory().get("/", HTTP_ACCEPT=accept))) is wanted


def test_json_is_compact_utf_8() -> None:
    assert JSONRenderer().render({"a": ["ä", 1]}) == '{"a":["ä",1]}'.encode()


def test_half_a_surrogate_pair_is_sent_as_its_escape() -> None:
    assert json.loads(JSONRenderer().render({"a": "\ud83d"})) == {"a": "\ud83d"}


def test_what_json_cannot_hold_is_not_sent() -> None:
    with pytest.raises(ValueError, match="JSON"):
        JSONRenderer().render({"a": float("nan")})


class UnwritableView(BaseAPIView):
    """Answers with what JSON cannot hold."""

    def get(self, request: Request, what: str) -> Response:
        circle: list[Any] = []
        circle.append(circle)
        values = {"nan": math.nan, "infinity": math.inf, "object": object(), "circle": circle, "lazy": gone()}
        return Response({"value": values[what]}, status=201)


def gone() -> Iterator[int]:
    """Fails when it is read."""
    yield 1
    raise LookupError("secret-canary")


@pytest.mark.parametrize("what", ["nan", "infinity", "object", "circle", "lazy"])
def test_an_answer_that_cannot_be_written_is_a_problem_and_is_logged(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    request = APIRequestFactory().get("/")
    force_authenticate(request, make_user())
    answer = UnwritableView.as_view()(request, what=what).render()
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert json.loads(answer.content)["code"] == "internal_error"
    assert b"canary" not in answer.content
    assert answer["X-Correlation-ID"] in caplog.text
