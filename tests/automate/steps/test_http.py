"""`http` sends one request, known by its key, to where it may; and takes whatever answer there is."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from automate.models import WorkflowRun
from automate_api.exceptions import OutputTooLarge
from automate_api.models import Job
from automate_api.security.echo import MASK
from tests.automate.making import begin, fresh, make_workflow, outputs, pass_time, states, step, work
from tests.factories import make_user
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


def test_an_answer_is_what_json_says_else_text(upstream: FakeUpstream) -> None:
    answers: list[tuple[bytes, str, Any]] = [
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
    ]
    for content, content_type, body in answers:
        upstream.answers["it"] = content
        assert answer(ran(ask(upstream, f"sent:it:{content_type}")))["body"] == body


def test_cookies_are_not_told(upstream: FakeUpstream) -> None:
    assert "set-cookie" not in answer(ran(ask(upstream, "cookies")))["headers"]


def test_a_redirect_is_an_answer_and_is_not_followed(upstream: FakeUpstream) -> None:
    given = answer(ran(ask(upstream, "redirect")))
    assert (given["status"], given["headers"]["location"]) == (302, "http://169.254.169.254/latest/meta-data/")
    assert len(upstream.requests) == 1


# -- what goes wrong -------------------------------------------------------------------------------------------------


def test_what_may_be_otherwise_later_is_tried_again_under_the_same_key(upstream: FakeUpstream) -> None:
    errors = {
        400: ("upstream_rejected", 1),
        401: ("upstream_auth_failed", 1),
        404: ("upstream_rejected", 1),
        408: ("upstream_timeout", 3),
        429: ("upstream_rate_limited", 3),
        500: ("upstream_failed", 3),
        503: ("upstream_failed", 3),
    }
    runs = {status: ran(ask(upstream, f"status:{status}", retries=2)) for status in errors}
    for _attempt in range(2):
        pass_time(60)
        work()
    keys = [request.headers["idempotency-key"] for request in upstream.requests]
    for status, (error, sent) in errors.items():
        run = fresh(runs[status])
        assert run.error == {"step": "call", "code": error, "detail": f"The server answered {status}."}
        assert keys.count(f"{run.pk}:call") == sent


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


def test_what_is_no_whole_answer_is_an_error(upstream: FakeUpstream, settings: Settings) -> None:
    settings.AUTOMATE_STEP_OUTPUT_MAX_BYTES = 1000
    upstream.answers |= {"it": b"it", "large": b"x" * 5000, "full": b"x" * 1000}
    broke_off, large = "The server broke off its answer.", "The server's answer is larger than a step's output may be."
    errors = {
        "drop:9": ("upstream_broke_off", broke_off),
        "sent:it:text/plain:long": ("upstream_broke_off", broke_off),
        "badhead": ("upstream_invalid", "The server's answer is not HTTP as it should be."),
        "sent:large:text/plain": ("upstream_too_large", large),
        "sent:large:text/plain:chunked": ("upstream_too_large", large),
        # It fits, and with the headers it does not.
        "sent:full:text/plain": ("output_too_large", str(OutputTooLarge.default_detail)),
    }
    for behaviour, (error, detail) in errors.items():
        assert ran(ask(upstream, behaviour)).error == {"step": "call", "code": error, "detail": detail}


def test_a_server_that_takes_too_long_is_left(upstream: FakeUpstream) -> None:
    for behaviour in ("silent", "headonly"):
        settings = {"url": upstream.url, "body": {"model": behaviour}, "timeout": 0.2}
        assert code(ran(step("call", "http", settings=settings, retries=0))) == "upstream_timeout"
        assert upstream.until(upstream.connections[-1].closed.is_set)


# -- where it may go, and what it may say ----------------------------------------------------------------------------


def test_only_an_address_that_stands_in_the_definition_may_be_private(upstream: FakeUpstream) -> None:
    address = f"{upstream.url}/models"
    assert answer(ran(call(address, method="GET")))["status"] == 200
    assert len(upstream.requests) == 1
    for url in ({"path": "$.event.payload.url"}, {"cel": "event.payload.url"}, {"cel": f"'{address}'"}):
        assert code(ran(call(url, method="GET"), payload={"url": address})) == "outbound_blocked"
    assert len(upstream.requests) == 1


def test_other_addresses_are_called_by_nobody() -> None:
    for url in (
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://user:word@example.com/",
        "http://exa\nmple.com/",
    ):
        assert (url, code(ran(call(url)))) == (url, "outbound_blocked")
        assert (url, code(ran(call({"path": "$.event.payload"}), payload=url))) == (url, "outbound_blocked")


def test_what_is_no_address_of_the_web_is_refused() -> None:
    for url in ("file:///etc/passwd", "ftp://example.com/", "no address", "", "javascript:http://x/"):
        assert (url, code(ran(call(url)))) == (url, "invalid_input")
        assert (url, code(ran(call({"path": "$.event.payload"}), payload=url))) == (url, "invalid_input")


def test_a_value_is_never_a_second_header(upstream: FakeUpstream) -> None:
    header = {"X-Name": {"path": "$.event.payload.name"}}
    for value in ("a\r\nX-Evil: 1", "a\nb", "a\rb", "žluť"):
        assert code(ran(ask(upstream, "chat", headers=header), payload={"name": value})) == "outbound_blocked"
    assert upstream.requests == []
    # No database holds a NUL: it is another character by then.
    ran(ask(upstream, "cookies", headers=header), payload={"name": "a\x00b"})
    assert all("\x00" not in value for request in upstream.requests for value in request.headers.values())


def test_headers_of_the_steps_own_are_no_ones(upstream: FakeUpstream) -> None:
    for name in ("Host", "IDEMPOTENCY-KEY", "transfer-encoding", "Content-Length", "X-Correlation-ID"):
        error = ran(ask(upstream, "chat", headers={name: "mine"})).error
        told = ("invalid_input", f"headers.{name}: This header is the step's own.")
        assert (error["code"], error["detail"]) == told
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
def test_a_secret_is_sent_and_told_by_nobody(tattletale: str, value: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    owner, said = make_user(is_staff=True), []
    staff = with_key(user=owner)
    for how, status in {
        "text": "succeeded",
        "garbage": "succeeded",
        "302": "succeeded",
        "401": "failed",
        "500": "failed",
    }.items():
        told = call(f"{tattletale}/{how}/", headers={"Authorization": {"secret": "shop"}}, body={})
        secrets = json.dumps({"shop": value})
        workflow = make_workflow(told, output={"path": "$.steps.call.output"}, secrets=secrets, owner=owner)
        run = begin(workflow)
        work()
        assert fresh(run).status == status
        paths = (
            "executions/",
            f"workflow-runs/{run.pk}/",
            f"workflows/{workflow.pk}/",
            f"workflows/{workflow.pk}/export/",
        )
        said += [staff.get(f"/api/v1/{path}").content.decode() for path in paths]
    planted = [Secret("own", SECRET, SECRET)]
    assert f"you sent {MASK}!" in "".join(said).replace("Bearer ", "")
    assert search(planted, [("answers", text) for text in said]) == []
    assert search(planted, [("log", caplog.text)]) == []
    assert search(planted, kept_in_database()) == []


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
