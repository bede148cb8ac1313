"""Errors as problems (RFC 9457): one shape for ours, REST framework's, Django's and those nobody expected."""

import json
import logging
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from automate_api import exceptions
from automate_api.exceptions import AutomateError, ErrorCode
from automate_api.models import Provider
from automate_api.security.redaction import redact_exception
from automate_api.v1.base import BaseAPIView
from automate_api.v1.errors import STATUS, problem_of, status_of
from tests.factories import make_user
from tests.hosts.shop.models import Item
from tests.hosts.shop.people import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.shop.urls")]

CANARY = "canary-Zq81-do-not-show"


def fail(kind: str) -> Any:
    """What the failing view answers."""
    return signed_in().get(f"/fail/{kind}/")


def every_error() -> list[type[AutomateError]]:
    """Each class of the hierarchy."""
    found, todo = [], [AutomateError]
    while todo:
        cls = todo.pop()
        found.append(cls)
        todo += [inner for inner in cls.__subclasses__() if inner.__module__ == exceptions.__name__]
    return found


def test_a_problem_has_its_members_and_media_type() -> None:
    answer = fail("not-configured")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:automate:error:not_configured",
        "title": "Not configured",
        "status": 503,
        "detail": "This is not set up on the server.",
        "code": "not_configured",
    }


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("invalid", 400, "invalid_input"),
        ("limited", 429, "rate_limited"),
        ("upstream-limited", 429, "upstream_rate_limited"),
        ("upstream-unavailable", 503, "upstream_unavailable"),
        ("extended", 502, "upstream_broke_off"),
        ("bespoke", 409, "conflict"),
        ("nested", 400, "invalid_input"),
        ("bare", 400, "invalid_input"),
        ("model", 400, "invalid_input"),
        ("absent", 404, "not_found"),
        ("rest-absent", 404, "not_found"),
        ("denied", 403, "permission_denied"),
        ("too-big", 413, "payload_too_large"),
        ("suspicious", 400, "malformed_request"),
        ("bad", 400, "malformed_request"),
        ("throttled", 429, "rate_limited"),
        ("teapot", 418, "teapot"),
    ],
)
def test_each_kind_of_error_has_its_status_and_code(kind: str, status: int, code: str) -> None:
    answer = fail(kind)
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (status, status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_every_error_of_ours_has_a_status_of_its_own_kind() -> None:
    statuses = {cls.__name__: status_of(cls()) for cls in every_error()}
    assert {name: status for name, status in statuses.items() if status == 500} == {
        "AutomateError": 500,
        "InternalError": 500,
        "WorkerLost": 500,
        "HandlerFailed": 500,
        # Those of steps, which nobody is answered with.
        "ExpressionFailed": 500,
        "OutputTooLarge": 500,
        "StepFailed": 500,
        "StepRejected": 500,
        "WorkflowTooDeep": 500,
    }
    assert all(400 <= status < 600 for status in statuses.values())
    assert set(STATUS) <= set(every_error())


def test_the_upstreams_failures_are_502_503_504_or_429_and_never_500() -> None:
    upstream = [cls for cls in every_error() if issubclass(cls, exceptions.UpstreamError)]
    assert {problem_of(cls()).status for cls in upstream} == {429, 502, 503, 504}


def test_every_code_has_an_english_title() -> None:
    for code in ErrorCode:
        assert problem_of(type("E", (AutomateError,), {"code": code})()).as_dict()["title"].isascii()


def test_validation_errors_are_flat_with_dotted_paths() -> None:
    assert fail("nested").json()["errors"] == [
        {"field": "name", "code": "invalid", "detail": "one"},
        {"field": "name", "code": "invalid", "detail": "two"},
        {"field": "lines.1.price", "code": "invalid", "detail": "three"},
        {"field": "", "code": "invalid", "detail": "four"},
    ]
    assert fail("bare").json()["errors"] == [{"field": "", "code": "invalid", "detail": "Alone."}]
    assert fail("model").json()["errors"] == [{"field": "name", "code": "short", "detail": "Too short."}]
    assert fail("invalid").json()["errors"] == [{"field": "a.b", "code": "wrong", "detail": "Wrong."}]


def test_an_absent_object_is_never_named() -> None:
    assert fail("absent").json()["detail"] == fail("rest-absent").json()["detail"] == "There is no such object."
    answer = signed_in().post("/items/", {"name": "x", "project": 4711}, format="json")
    assert answer.status_code == 400
    assert b"4711" not in answer.content


def test_extensions_are_members_that_cannot_replace_the_standard_ones() -> None:
    problem = fail("extended").json()
    assert (problem["execution"], problem["status"]) == ("abc", 502)


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [("limited", "7"), ("upstream-limited", "2"), ("throttled", "13"), ("upstream-unavailable", "10")],
)
def test_429_and_503_say_when_to_come_back(kind: str, seconds: str) -> None:
    assert fail(kind).headers["Retry-After"] == seconds


def test_other_errors_do_not_say_when_to_come_back() -> None:
    assert "Retry-After" not in fail("extended").headers


def test_djangos_own_words_about_a_bad_request_are_kept_back() -> None:
    assert b"secret" not in fail("suspicious").content + fail("bad").content


def test_problems_are_json_whatever_the_caller_accepts() -> None:
    answer = signed_in().get("/fail/absent/", headers={"Accept": "text/html"})
    assert answer.status_code == 406
    assert answer.headers["Content-Type"] == "application/problem+json"
    answer = signed_in().get("/fail/absent/", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_what_nobody_expected_is_a_500_without_particulars() -> None:
    answer = signed_in().post(f"/fail/{CANARY}/", {}, format="json")
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "urn:automate:error:internal_error",
        "title": "Internal error",
        "status": 500,
        "detail": "Something went wrong on the server.",
        "code": "internal_error",
    }


def test_an_unexpected_error_is_logged_once_with_its_traceback_and_correlation_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    signed_in().post("/fail/boom/", {}, format="json", headers={"X-Correlation-ID": "abc-1"})
    ours = [record for record in caplog.records if record.name == "automate_api.v1.errors"]
    assert len(ours) == 1
    assert ours[0].levelno == logging.ERROR
    assert "abc-1" in ours[0].getMessage()
    assert "RuntimeError: boom" in ours[0].getMessage()
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("place", ["body", "X-API-Token", "Authorization", "cookie", "pattern", "revealed"])
def test_a_secret_in_an_exceptions_message_reaches_neither_log_nor_answer(
    caplog: pytest.LogCaptureFixture, settings: Settings, place: str
) -> None:
    client, body, headers = signed_in(), {}, {}
    if place == "body":
        body = {"api_key": CANARY}
    elif place == "cookie":
        client.cookies["trace"] = CANARY
    elif place == "pattern":
        settings.AUTOMATE_API_REDACT_PATTERNS = ["canary-[A-Za-z0-9-]+"]
    elif place == "revealed":
        settings.AUTOMATE_API_TENANT_RESOLVER = "tests.automate_api.v1.test_errors.revealing"
    else:
        headers = {place: f"Token {CANARY}"}
    path = "/tasks/" if place == "revealed" else f"/fail/{CANARY}/"
    answer = client.post(path, body or {"name": "x"}, format="json", headers=headers)
    assert answer.status_code == 500
    assert CANARY.encode() not in answer.content
    # The address is the caller's own, and Django logs it.
    logged = [record.getMessage() for record in caplog.records if record.name != "django.request"]
    assert logged
    assert not any(CANARY in line for line in logged)


def revealing(request: Any) -> str:
    """A resolver that has a secret in clear and fails with it."""
    provider = Provider(api_key=CANARY)
    raise RuntimeError(provider.api_key.reveal())


def test_what_a_request_revealed_is_forgotten_when_it_is_answered(settings: Settings) -> None:
    settings.AUTOMATE_API_TENANT_RESOLVER = "tests.automate_api.v1.test_errors.revealing"
    assert signed_in().get("/tasks/").status_code == 500
    assert CANARY in redact_exception(RuntimeError(CANARY))


def test_patterns_that_cannot_be_applied_withhold_the_traceback(
    caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = ["("]
    assert signed_in().post(f"/fail/{CANARY}/", {}, format="json").status_code == 500
    [record] = [record for record in caplog.records if record.name == "automate_api.v1.errors"]
    assert CANARY not in record.getMessage()
    assert "RuntimeError" in record.getMessage()


def test_an_error_leaves_a_transaction_alone_that_was_open_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that of a host's test."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    for client, body in ((APIClient(), {"name": "x"}), (signed_in(), {})):
        assert client.post("/items/", body, format="json").status_code in {400, 401}
    assert not Item.objects.exists()


@pytest.mark.parametrize("is_in_test", [True, False])
def test_neither_does_one_while_the_answer_is_written(
    is_in_test: bool, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unfit(BaseAPIView):
        def get(self, request: Request) -> Response:
            return Response({1 + 1j: "no JSON"})

    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    request = APIRequestFactory().get("/")
    force_authenticate(request, make_user())
    with transaction.atomic() if is_in_test else nullcontext():
        assert Unfit.as_view()(request).render().status_code == 500
        assert not Item.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_error_rolls_back_under_atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in()
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert client.post("/fail/boom/", {}, format="json").status_code == 500
    assert not Item.objects.exists()


def test_debug_shows_no_more(settings: Settings) -> None:
    settings.DEBUG = True
    assert CANARY.encode() not in signed_in().post(f"/fail/{CANARY}/", {}, format="json").content


def test_a_problem_is_stored_json_for_whoever_reads_response_data() -> None:
    answer = APIClient().get("/items/")
    assert json.loads(answer.content) == answer.data
