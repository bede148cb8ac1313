"""Hooks: whoever knows the address and signs what is sent starts the workflow, once for each delivery."""

import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient
from standardwebhooks import Webhook

from automate.models import Trigger
from automate.services.triggers import rotate_signing_secret, rotate_token, update_trigger
from automate_api.models import Event, IdempotencyKey
from automate_api.v1.parsers import StrictJSONParser
from tests.automate.services.starts import flow, handle, make_hook, make_trigger, runs
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("asked")]

BODY = json.dumps({"type": "order.paid", "data": {"order": 7, "name": "Åse"}}).encode()


def secret_of(trigger: Trigger) -> str:
    return Trigger.objects.get(pk=trigger.pk).signing_secret.reveal()


def signed(secret: str, body: bytes = BODY, *, delivery: str = "msg_1", at: datetime | None = None) -> dict[str, str]:
    """Headers as a sender makes them with the library of the standard."""
    at = at or datetime.now(UTC)
    signature = Webhook(secret).sign(msg_id=delivery, timestamp=at, data=body.decode())
    return {
        "webhook-id": delivery,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def signed_by_github(secret: str, body: bytes = BODY, **headers: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", **headers}


def call(token: str, headers: dict[str, str], body: bytes = BODY, content_type: str = "application/json") -> Any:
    return APIClient().post(f"/api/v1/hooks/{token}/", body, content_type=content_type, headers=headers)


def told(answer: Any) -> tuple[int, Any, dict[str, str]]:
    """All of an answer but what differs between any two."""
    headers = {name: value for name, value in answer.headers.items() if name not in {"X-Correlation-ID", "RateLimit"}}
    return answer.status_code, answer.content, headers


# -- what is taken ---------------------------------------------------------------------------------------------------


def test_what_is_signed_starts_the_workflow_once() -> None:
    trigger, token = make_hook()
    make_hook()
    make_trigger(pattern="*")
    answers = [call(token, signed(secret_of(trigger))) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    first, again = (answer.json() for answer in answers)
    assert (first["status"], again["status"], first["id"]) == ("accepted", "duplicate", again["id"])
    handle()
    [run] = runs()
    assert (run.trigger_id, run.status, str(run.event_id)) == (trigger.pk, "succeeded", first["id"])
    assert run.context["payload"] == {"id": "msg_1", "event": "order.paid", "body": json.loads(BODY)}
    assert run.correlation_id == answers[0].headers["X-Correlation-ID"]
    assert call(token, signed(secret_of(trigger), delivery="msg_2")).json()["status"] == "accepted"


def test_github_is_understood() -> None:
    trigger, token = make_hook(signature="github", signing_secret="it's a long story, GitHub")
    headers = {"X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "X-GitHub-Event": "pull_request"}
    for status in ("accepted", "duplicate"):
        assert call(token, signed_by_github(secret_of(trigger), **headers)).json()["status"] == status
    payload = Event.objects.get().payload
    assert (payload["id"], payload["event"]) == (headers["X-GitHub-Delivery"], "pull_request")
    # Others that sign like this have no ids, and each request counts.
    for _ in range(2):
        assert call(token, signed_by_github(secret_of(trigger))).json()["status"] == "accepted"


def test_a_sender_may_sign_with_several_secrets_at_once() -> None:
    trigger, token = make_hook()
    headers = signed(secret_of(trigger))
    other = signed(Webhook("whsec_" + "b2xk" * 8)._SECRET_PREFIX + "b2xk" * 8)["webhook-signature"]
    headers["webhook-signature"] = f"v1a,nonsense {other} {headers['webhook-signature']}"
    assert call(token, headers).status_code == 202


def test_two_hooks_take_the_same_delivery_each() -> None:
    for tenant in ("default", "globex"):
        trigger, token = make_hook(flow(tenant_id=tenant))
        assert call(token, signed(secret_of(trigger))).json()["status"] == "accepted"
    assert set(Event.objects.values_list("tenant_id", flat=True)) == {"default", "globex"}


def test_credentials_and_keys_of_somebody_else_mean_nothing_here() -> None:
    trigger, token = make_hook()
    headers = signed(secret_of(trigger)) | {"Authorization": "Bearer none-of-ours", "Idempotency-Key": "k"}
    assert call(token, headers).status_code == 202
    assert not IdempotencyKey.objects.exists()


# -- what is not -----------------------------------------------------------------------------------------------------


def _refused(trigger: Trigger, token: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Requests that reach no hook, by what is wrong with them."""
    secret, now = secret_of(trigger), datetime.now(UTC)
    fine = signed(secret)
    _other, other_token = make_hook(flow(tenant_id="globex"))
    disabled, disabled_token = make_hook(enabled=False)
    switched_off, switched_off_token = make_hook(flow(enabled=False))
    return {
        "unknown": ("A" * 43, fine),
        "no token": ("A", fine),
        "a digest": (Trigger.objects.get(pk=trigger.pk).token_hash or "", fine),
        "disabled": (disabled_token, signed(secret_of(disabled))),
        "of a workflow that is switched off": (switched_off_token, signed(secret_of(switched_off))),
        "signed for another": (other_token, fine),
        "unsigned": (token, {}),
        "another body": (token, signed(secret, BODY + b" ")),
        "another id": (token, {**fine, "webhook-id": "msg_2"}),
        "another time": (token, {**fine, "webhook-timestamp": str(int(now.timestamp()) + 60)}),
        "no time": (token, {**fine, "webhook-timestamp": "1e9"}),
        "old": (token, signed(secret, at=now - timedelta(seconds=301))),
        "from the future": (token, signed(secret, at=now + timedelta(hours=1))),
        "no id": (token, {**fine, "webhook-id": ""}),
        "not of the standard": (token, {**fine, "webhook-signature": "v1"}),
        "not ASCII": (token, {**fine, "webhook-signature": "v1,\xe9"}),
        "GitHub's": (token, signed_by_github(secret)),
    }


def test_whatever_keeps_a_request_from_its_hook_the_answer_is_the_same(settings: Settings) -> None:
    settings.AUTOMATE_HOOK_RATE_LIMIT = "1000/minute"
    trigger, token = make_hook()
    answers = {name: told(call(*request)) for name, request in _refused(trigger, token).items()}
    assert {answer[0] for answer in answers.values()} == {404}
    assert {name: answer for name, answer in answers.items() if answer != answers["unknown"]} == {}
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"a": "\\u0000"}', "application/json", 400),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json", 400),
        (json.dumps({"a": "x" * 70_000}).encode(), "application/json", 400),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json; charset=utf-16", 415),
    ],
)
def test_a_body_that_is_none_is_refused_once_it_is_signed(body: bytes, content_type: str, status: int) -> None:
    trigger, token = make_hook(signature="github")
    headers = signed_by_github(secret_of(trigger), body)
    assert call(token, headers, body, content_type).status_code == status
    unsigned, unknown = call(token, {}, body, content_type), call("A" * 43, headers, body, content_type)
    assert (unsigned.status_code, told(unsigned)) == (404, told(unknown))
    assert not Event.objects.exists()


def test_what_nobody_has_signed_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    _trigger, token = make_hook()
    parsed: list[Any] = []
    monkeypatch.setattr(StrictJSONParser, "parse", lambda *args, **kwargs: parsed.append(args))
    body = b'{"a": [' + b"[]," * 600_000 + b"1]}"
    assert [call(address, {}, body).status_code for address in (token, "A" * 43)] == [404, 404]
    assert parsed == []


def test_other_methods_are_refused() -> None:
    _trigger, token = make_hook()
    assert APIClient().get(f"/api/v1/hooks/{token}/").status_code == 405


def test_what_was_rotated_ends_at_once() -> None:
    trigger, token = make_hook()
    secret = secret_of(trigger)
    assert rotate_signing_secret(trigger) == secret_of(trigger) != secret
    assert call(token, signed(secret)).status_code == 404
    again = rotate_token(trigger)
    assert call(token, signed(secret_of(trigger))).status_code == 404
    assert call(again, signed(secret_of(trigger))).status_code == 202
    update_trigger(trigger, name="Renamed", signing_secret="")
    assert call(again, signed(secret_of(trigger), delivery="msg_2")).status_code == 202


# -- secrets and limits ----------------------------------------------------------------------------------------------


def test_neither_token_nor_secret_is_stored_in_clear_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("django.request").propagate = True
    trigger, token = make_hook()
    call(token, signed(secret_of(trigger)))
    call(token, {})
    call(token, signed(secret_of(trigger)), b"{")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM automate_trigger")
        rows = repr(cursor.fetchall())
    secret = secret_of(trigger)
    assert token not in rows
    assert secret not in rows
    assert "api/v1/hooks" not in caplog.text
    assert token not in caplog.text
    assert secret not in caplog.text


def test_a_hook_is_limited_whether_it_is_there_or_not(settings: Settings) -> None:
    settings.AUTOMATE_HOOK_RATE_LIMIT = "2/minute"
    trigger, token = make_hook()
    for address in (token, "A" * 43):
        statuses = [call(address, signed(secret_of(trigger))).status_code for _ in range(3)]
        assert statuses[2] == 429
    other, other_token = make_hook()
    assert call(other_token, signed(secret_of(other))).status_code == 202
