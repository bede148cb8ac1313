"""`http` sends one request, known by its key, to where it may; and takes whatever answer there is."""

import base64
import json
import logging
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from automate.models import WorkflowRun
from automate_api.models import Job, JobEvent
from tests.automate.making import begin, fresh, make_workflow, outputs, pass_time, states, step, work
from tests.hosts.shop.people import with_key
from tests.planting import Secret, kept_in_database, search
from tests.test_canary import Tattletale
from tests.upstream import FakeUpstream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]

SECRET = "canary-0f1e2d3c4b5a-of-a-workflow"


def call(url: Any, **settings: Any) -> dict[str, Any]:
    """The step `call`, which is tried once unless told otherwise."""
    own = {"retries": 0, **{name: settings.pop(name) for name in ("retries", "timeout") if name in settings}}
    return step("call", "http", settings={"url": url, **settings}, **own)


def ask(upstream: FakeUpstream, behaviour: str, **settings: Any) -> dict[str, Any]:
    """The same, to a server that behaves as the member `model` of the body tells it to."""
    return call(f"{upstream.url}/orders", body={"model": behaviour}, **settings)


def ran(*steps: dict[str, Any], payload: Any = None, **columns: Any) -> WorkflowRun:
    """The run of these steps, once all that can be done at present is done."""
    run = begin(make_workflow(*steps, **columns), payload)
    work()
    return fresh(run)


def answer(run: WorkflowRun) -> Any:
    """What the step gave."""
    assert run.status == "succeeded", run.error
    return outputs(run)["call"]


def code(run: WorkflowRun) -> str:
    """How the step failed."""
    assert run.status == "failed"
    return str(run.error["code"])


# -- a request and its answer ----------------------------------------------------------------------------------------


def test_a_request_is_known_by_its_step_and_says_what_the_step_says(upstream: FakeUpstream) -> None:
    upstream.answers["order"] = b'{"id": 7, "paid": true}'
    order = call(
        f"{upstream.url}/orders",
        method="PUT",
        headers={"X-Shop": {"path": "$.event.payload.shop"}, "accept": "text/plain"},
        body={"model": "sent:order:application/json", "n": {"cel": "event.payload.n * 2"}},
    )
    run = ran(order, payload={"shop": "north", "n": 21})
    given = answer(run)
    assert (given["status"], given["body"]) == (200, {"id": 7, "paid": True})
    assert given["headers"]["content-type"] == "application/json"
    (sent,) = upstream.requests
    assert (sent.method, sent.path, sent.json["n"]) == ("PUT", "/v1/orders", 42)
    wanted = {
        "idempotency-key": f"{run.pk}:call",
        "x-correlation-id": "c-1",
        "content-type": "application/json",
        "x-shop": "north",
        "accept": "text/plain",
    }
    assert wanted.items() <= sent.headers.items()


def test_a_get_has_no_body(upstream: FakeUpstream) -> None:
    given = answer(ran(call(f"{upstream.url}/models", method="GET")))
    assert given["body"]["object"] == "list"
    assert not {"content-type", "content-length"} & set(upstream.requests[0].headers)


@pytest.mark.parametrize(
    ("content", "content_type", "body"),
    [
        (b"plain \xc5\xbelu\xc5\xa5", "text/plain", "plain žluť"),
        (b"\xff\x00", "application/octet-stream", "\ufffd\ufffd"),
        (b'{"a": [1]}', "application/vnd.shop+json", {"a": [1]}),
        (b'{"a": [1]}', "text/html", '{"a": [1]}'),
        (b"{broken", "application/json", "{broken"),
        (b'{"n": NaN}', "application/json", '{"n": NaN}'),
        (b'{"n": 1e999}', "application/json", '{"n": 1e999}'),
        (b"[" * 100_000, "application/json", "[" * 100_000),
        (b"[" * 110 + b"]" * 110, "application/json", "[" * 110 + "]" * 110),
        (b"", "application/json", ""),
    ],
)
def test_an_answer_is_what_json_says_else_text(
    upstream: FakeUpstream, content: bytes, content_type: str, body: Any
) -> None:
    upstream.answers["it"] = content
    assert answer(ran(ask(upstream, f"sent:it:{content_type}")))["body"] == body


def test_cookies_are_not_told(upstream: FakeUpstream) -> None:
    assert "set-cookie" not in answer(ran(ask(upstream, "cookies")))["headers"]


def test_a_redirect_is_an_answer_and_is_not_followed(upstream: FakeUpstream) -> None:
    given = answer(ran(ask(upstream, "redirect")))
    assert (given["status"], given["headers"]["location"]) == (302, "http://169.254.169.254/latest/meta-data/")
    assert len(upstream.requests) == 1


# -- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error", "sent"),
    [
        (400, "upstream_rejected", 1),
        (401, "upstream_auth_failed", 1),
        (404, "upstream_rejected", 1),
        (429, "upstream_rate_limited", 3),
        (500, "upstream_failed", 3),
        (503, "upstream_failed", 3),
    ],
)
def test_what_may_be_otherwise_later_is_tried_again_under_the_same_key(
    upstream: FakeUpstream, status: int, error: str, sent: int
) -> None:
    run = ran(ask(upstream, f"status:{status}", retries=2))
    for _attempt in range(2):
        pass_time(60)
        work()
    run = fresh(run)
    assert code(run) == error
    assert run.error["detail"] == f"The server answered {status}."
    assert [request.headers["idempotency-key"] for request in upstream.requests] == [f"{run.pk}:call"] * sent


def test_a_server_that_says_when_is_not_asked_before(upstream: FakeUpstream) -> None:
    upstream.answers["it"] = b"{}"
    run = ran(ask(upstream, "flaky:429:1:9000", retries=1))
    pass_time(8000)
    assert (work(), states(run)) == (0, {"call": "running"})
    pass_time(1000)
    assert (work(), len(upstream.requests)) == (1, 2)
    assert code(fresh(run)) == "upstream_rejected"


def test_an_error_may_have_a_way(upstream: FakeUpstream) -> None:
    tried = {**ask(upstream, "status:404"), "on_error": "sorry"}
    run = ran(tried, step("sorry", why={"cel": "steps.call.error.code"}))
    assert outputs(run)["sorry"] == {"why": "upstream_rejected"}


@pytest.mark.parametrize(
    ("behaviour", "error", "detail"),
    [
        ("drop:9", "upstream_broke_off", "The server broke off its answer."),
        ("sent:it:text/plain:long", "upstream_broke_off", "The server broke off its answer."),
        ("badhead", "upstream_invalid", "The server's answer is not HTTP as it should be."),
        ("sent:large:text/plain", "upstream_too_large", "The server's answer is larger than a step's output may be."),
        (
            "sent:large:text/plain:chunked",
            "upstream_too_large",
            "The server's answer is larger than a step's output may be.",
        ),
    ],
)
def test_what_is_no_whole_answer_is_an_error(
    upstream: FakeUpstream, settings: Settings, behaviour: str, error: str, detail: str
) -> None:
    settings.AUTOMATE_STEP_OUTPUT_MAX_BYTES = 1000
    upstream.answers |= {"it": b"it", "large": b"x" * 5000}
    assert ran(ask(upstream, behaviour)).error == {"step": "call", "code": error, "detail": detail}


@pytest.mark.parametrize("behaviour", ["silent", "headonly"])
def test_a_server_that_takes_too_long_is_left(upstream: FakeUpstream, behaviour: str) -> None:
    slow = step("call", "http", settings={"url": upstream.url, "body": {"model": behaviour}, "timeout": 0.2}, retries=0)
    assert code(ran(slow)) == "upstream_timeout"
    assert upstream.until(upstream.connections[-1].closed.is_set)


def test_an_answer_that_fits_and_is_too_large_with_its_headers_is_no_output(
    upstream: FakeUpstream, settings: Settings
) -> None:
    settings.AUTOMATE_STEP_OUTPUT_MAX_BYTES = 1000
    upstream.answers["it"] = b"x" * 1000
    assert code(ran(ask(upstream, "sent:it:text/plain"))) == "output_too_large"


# -- where it may go, and what it may say ----------------------------------------------------------------------------


def test_only_an_address_that_stands_in_the_definition_may_be_private(upstream: FakeUpstream) -> None:
    address = f"{upstream.url}/models"
    assert answer(ran(call(address, method="GET")))["status"] == 200
    assert len(upstream.requests) == 1
    for url in ({"path": "$.event.payload.url"}, {"cel": "event.payload.url"}, {"cel": f"'{address}'"}):
        assert code(ran(call(url, method="GET"), payload={"url": address})) == "outbound_blocked"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://user:word@example.com/",
        "http://exa\nmple.com/",
    ],
)
def test_other_addresses_are_called_by_nobody(url: str) -> None:
    assert code(ran(call(url))) == "outbound_blocked"
    assert code(ran(call({"path": "$.event.payload"}), payload=url)) == "outbound_blocked"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/", "no address", "", "javascript:http://x/"])
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    assert code(ran(call(url))) == "invalid_input"
    assert code(ran(call({"path": "$.event.payload"}), payload=url)) == "invalid_input"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", "žluť"])
def test_a_value_is_never_a_second_header(upstream: FakeUpstream, value: str) -> None:
    header = {"X-Name": {"path": "$.event.payload.name"}}
    run = ran(ask(upstream, "chat", headers=header), payload={"name": value})
    assert code(run) in {"outbound_blocked", "upstream_rejected"}
    assert all("x-evil" not in request.headers for request in upstream.requests)


@pytest.mark.parametrize("name", ["Host", "IDEMPOTENCY-KEY", "transfer-encoding", "Content-Length", "X-Correlation-ID"])
def test_headers_of_the_steps_own_are_no_ones(upstream: FakeUpstream, name: str) -> None:
    error = ran(ask(upstream, "chat", headers={name: "mine"})).error
    assert (error["code"], error["detail"]) == ("invalid_input", f"headers.{name}: This header is the step's own.")
    assert upstream.requests == []


# -- secrets ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def tattletale(settings: Settings) -> Iterator[str]:
    """The address of a server that repeats the credentials it was sent."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Tattletale) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        settings.AUTOMATE_API_PRIVATE_HOSTS = [f"127.0.0.1:{server.server_port}"]
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("value", [f"Bearer {SECRET}", SECRET])
@pytest.mark.parametrize("how", ["text", "garbage", "401", "302", "500"])
def test_a_secret_is_sent_and_told_by_nobody(
    tattletale: str, how: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = call(f"{tattletale}/{how}/", headers={"Authorization": {"secret": "shop"}}, body={})
    workflow = make_workflow(told, output={"path": "$.steps.call.output"}, secrets=json.dumps({"shop": value}))
    run = begin(workflow)
    work()
    run = fresh(run)
    assert run.status == ("failed" if how in {"401", "500"} else "succeeded")
    staff = with_key(user=workflow.owner)
    said = [staff.get(f"/api/v1/{path}").content.decode() for path in ("executions/", f"workflow-runs/{run.pk}/")]
    said += [staff.get(f"/api/v1/workflows/{workflow.pk}/{tail}").content.decode() for tail in ("", "export/")]
    said += [json.dumps(row, default=str) for row in JobEvent.objects.values()]
    planted = [Secret("own", SECRET, SECRET)]
    assert search(planted, [("answers", text) for text in said]) == []
    assert search(planted, [("log", caplog.text)]) == []
    assert search(planted, kept_in_database()) == []
    assert base64.b64encode(SECRET.encode()).decode() not in "".join(said)


def test_a_secret_is_of_its_own_workflow_alone(upstream: FakeUpstream) -> None:
    make_workflow(step("a"), secrets=json.dumps({"shop": SECRET}))
    run = ran(ask(upstream, "chat", headers={"Authorization": {"secret": "shop"}}))
    assert code(run) == "invalid_input"
    assert upstream.requests == []


def test_what_a_caller_sends_is_no_reference_to_a_secret(upstream: FakeUpstream) -> None:
    upstream.answers["ok"] = b"{}"
    body = {"model": "sent:ok:application/json", "given": {"path": "$.event.payload"}}
    told = call(f"{upstream.url}/orders", headers={"X-A": {"secret": "shop"}}, body=body)
    ran(told, payload={"secret": "shop"}, secrets=json.dumps({"shop": SECRET}))
    assert upstream.requests[0].json["given"] == {"secret": "shop"}
    assert upstream.requests[0].headers["x-a"] == SECRET
    for headers in ({"path": "$.event.payload"}, {"X-A": {"path": "$.event.payload.a"}}):
        payload = {"X-A": {"secret": "shop"}, "a": {"secret": "shop"}}
        run = ran(
            call(f"{upstream.url}/orders", headers=headers, body=body),
            payload=payload,
            secrets=json.dumps({"shop": SECRET}),
        )
        assert run.status == "failed"
    assert len(upstream.requests) == 1
    assert Job.objects.unfinished().count() == 0
