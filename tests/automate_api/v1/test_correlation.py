"""Correlation ids: taken or made, and returned with every answer."""

import uuid

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.hosts.shop.people import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.shop.urls")]


@pytest.mark.parametrize("sent", ["a", "order:17.b_c-D", "x" * 128])
def test_the_callers_id_is_taken_and_returned(sent: str) -> None:
    answer = signed_in().get("/echo/", headers={"X-Correlation-ID": sent})
    assert answer.headers["X-Correlation-ID"] == answer.json()["correlation_id"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 129, "with space", "line\nbreak", "umlaut-ä", "semi;colon", "quote'"])
def test_an_id_that_does_not_fit_is_replaced(sent: str) -> None:
    answer = signed_in().get("/echo/", headers={"X-Correlation-ID": sent})
    assert answer.headers["X-Correlation-ID"] != sent
    assert uuid.UUID(answer.headers["X-Correlation-ID"]).version == 7


def test_each_request_gets_an_id_of_its_own() -> None:
    client = signed_in()
    ids = {client.get("/echo/").headers["X-Correlation-ID"] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize("path", ["/stream/", "/plain-response/", "/fail/absent/", "/items/?wrong=1", "/items/4711/"])
def test_streams_plain_responses_and_errors_carry_it(path: str) -> None:
    assert signed_in().get(path, headers={"X-Correlation-ID": "abc"}).headers["X-Correlation-ID"] == "abc"


def test_refusals_carry_it() -> None:
    answers = [
        APIClient().get("/items/"),
        signed_in().put("/items/"),
        signed_in().get("/items/", headers={"Accept": "text/html"}),
        signed_in().post("/fail/boom/"),
    ]
    assert [answer.status_code for answer in answers] == [401, 405, 406, 500]
    assert all(answer.headers["X-Correlation-ID"] for answer in answers)


@pytest.mark.parametrize("pattern", [r"\border-\d{4}\b", "("])
def test_an_id_that_would_be_redacted_is_replaced(pattern: str, settings: Settings) -> None:
    for sent in ("sk-0123456789abcdefghij", "x:order-1234"):
        settings.AUTOMATE_API_REDACT_PATTERNS = [pattern]
        answer = signed_in().get("/echo/", headers={"X-Correlation-ID": sent})
        assert answer.headers["X-Correlation-ID"] == answer.json()["correlation_id"] != sent
