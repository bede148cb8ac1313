"""What form answers take."""

import json

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from automate_api.v1.negotiation import JSONRenderer, accepts_event_stream
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
