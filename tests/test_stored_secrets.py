"""Of thousands of secrets that go through every door not one is kept in clear, nor a telling part of one.

`AUTOMATE_TEST_SECRETS` says how many; half a thousand unless it does.
"""

import base64
import json
import os
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from pytest_django import Settings
from rest_framework.test import APIClient

from automate_api.engine import transports
from automate_api.engine.capability import RunContext
from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import UpstreamFailed
from automate_api.models import Endpoint, Execution, Job, JobEvent
from automate_api.security import redaction
from automate_api.services import attempts
from automate_api.services.attempts import work_on
from automate_api.services.jobs import cancel_job
from tests.factories import make_endpoint, make_llm_client, make_provider
from tests.hosts.shop.people import with_key
from tests.jobs.fixtures import asked, write  # noqa: F401 - fixtures
from tests.jobs.making import age, fresh, kinds, written_endpoint
from tests.planting import PATTERNS, REDACTOR, TELLING, Garden, Secret, kept_in_database, kept_in_file, require, search
from tests.upstream import FakeUpstream, chat_events, chunk_event, event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]

SPELLED: dict[str, Callable[[str], str]] = {
    "plainly": str,
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text))[1:-1],
    "in a URL": lambda text: quote(text, safe=""),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 after something": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
}
SECRETS = int(os.environ.get("AUTOMATE_TEST_SECRETS", "500"))
API, MODAL = "/api/v1", "/api/v1/modal"
STREAM = {"Accept": "text/event-stream"}


class Host:
    """A host with a model server that says what the test wants, a caller, and what it was told of stored rows."""

    def __init__(self, upstream: FakeUpstream, write: Any, seed: int) -> None:  # noqa: F811
        self.upstream, self.write, self.garden = upstream, write, Garden(seed)
        self.api: APIClient = with_key(is_staff=True)
        self.told: list[tuple[str, str]] = []

    def endpoint(self, model: str, **fields: Any) -> Endpoint:
        """One on a new provider with a key of its own."""
        return make_endpoint(llm_client=self.client(model), **fields)

    def client(self, model: str) -> Any:
        provider = make_provider(base_url=self.upstream.url, api_key=self.garden.new_own())
        system = "" if model == "fake-embed" else self.garden.text("system prompt", 2)
        return make_llm_client(provider=provider, model=model, system_prompt=system, shared_with_tenant=True)

    def saying(self, text: str, *, end: str = "stop") -> str:
        """The model that streams `text` in pieces of any size, and does not end as it should where `end` is another.

        Before `lost` all of it comes, before `stall` too; before `close` any part of it.
        """
        events = chat_events(self.garden.pieces(text))
        if end == "stop":
            return self.sending(b"".join(events))
        return self.sending(b"".join(events[:-3]), "" if end == "lost" else end)

    def sending(self, body: bytes, end: str = "") -> str:
        name = f"answer-{len(self.upstream.answers)}"
        self.upstream.answers[name] = body
        return f"raw:{name}:{end}".removesuffix(":")

    def post(self, path: str, body: Any, status: int = 200, **headers: str) -> Any:
        answer = self.api.post(path, body, format="json", headers=headers)
        assert answer.status_code == status, answer.content if not answer.streaming else answer.status_code
        return answer

    def job(self, endpoint: Endpoint, given: Any, **headers: str) -> Job:
        answer = self.post(f"{MODAL}/endpoints/{endpoint.pk}/job/", {"input": given}, 202, **headers)
        return fresh(Job(pk=answer.json()["job_id"]))

    def listen(self, job: Job) -> str:
        """What its log tells whoever comes later, and whoever comes back."""
        text = ""
        for after in ("0", str(fresh(job).last_event // 2)):
            answer = self.api.get(f"{API}/jobs/{job.pk}/events/", headers={"Last-Event-ID": after})
            text += b"".join(answer.streaming_content).decode()
        self.told.append(("the log's stream", text))
        return text


def read(answer: Any) -> str:
    return b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode()


# -- the doors: each takes so many secrets through -------------------------------------------------------------------


def conversation(garden: Garden, count: int) -> dict[str, Any]:
    """Messages with secrets in each of their parts; the last is what `echo` answers."""
    inner = {garden.text("tool's inner key", 1): garden.text("tool's inner argument", 1)}
    arguments = {garden.text("tool's key", 1): garden.text("tool's argument", 1), "nested": json.dumps(inner)}
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": json.dumps(arguments)}}
    messages = [
        {"role": "user", "content": garden.text("question", count // 2)},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": garden.secret("sk").text, "content": garden.text("tool's answer", 1)},
        {"role": "user", "content": garden.text("said twice", count - count // 2)},
    ]
    return {"messages": messages}


def run(host: Host, count: int) -> None:
    garden, endpoint = host.garden, host.endpoint("echo")
    body = {"input": conversation(garden, count), "params": {"stop": [garden.text("param", 1)[:200]]}}
    headers = {"X-Correlation-ID": garden.secret("sk").text.replace("_", "x")}
    headers["Idempotency-Key"] = garden.secret("sk", "key", "card").text
    answers = [host.post(f"{API}/endpoints/{endpoint.pk}/run/", body, **headers) for _ in range(2)]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    host.told += [("the answer of a run", answer.content.decode()) for answer in answers]
    other = host.endpoint("status:400")
    host.post(f"{API}/endpoints/{other.pk}/run/", {"input": garden.text("refused", 2)}, 502)


def stream(host: Host, count: int) -> None:
    garden, endpoint = host.garden, host.endpoint("chat")
    endpoint.llm_client.model = host.saying(garden.text("streamed", count))
    endpoint.llm_client.save()
    key = {"Idempotency-Key": "streamed"}
    for _ in range(2):
        read(host.post(f"{MODAL}/endpoints/{endpoint.pk}/stream/", {"input": "Hello"}, **key))


def broken_streams(host: Host, count: int) -> None:
    for number in range(count):
        client = host.client("chat")
        kinds, end = ((), "lost") if number % 2 else (Garden.BEGUN, "close")
        client.model = host.saying(host.garden.text("", 5, *kinds) + host.garden.cut(), end=end)
        client.save()
        assert "event: error" in read(host.post(f"{API}/llm-clients/{client.pk}/chat/", {"input": "Hello"}, **STREAM))


def streams_that_are_left(host: Host, count: int) -> None:
    for _ in range(count):
        client = host.client("chat")
        mark = f"{host.garden.mark('left')} "
        client.model = host.saying(mark + host.garden.cut(), end="stall")
        client.save()
        answer = host.post(f"{API}/llm-clients/{client.pk}/chat/", {"input": "Hello"}, **STREAM)
        seen = b""
        for frame in answer.streaming_content:
            seen += frame
            if b"event: token" in seen and frame.startswith(b":"):
                break
        answer.close()
    assert Execution.objects.filter(status="cancelled").count() >= count


def chat(host: Host, count: int) -> None:
    client = host.client("echo")
    host.told.append(
        (
            "a chat",
            host.post(
                f"{API}/llm-clients/{client.pk}/chat/", {"input": conversation(host.garden, count)}
            ).content.decode(),
        )
    )


def oddly(garden: Garden, text: str) -> str:
    """`text` in a string of JSON, with escapes that nobody needs."""
    return "".join(
        f"\\u{ord(letter):04x}" if garden.chance.random() < 0.2 else json.dumps(letter)[1:-1] for letter in text
    )


def tools(host: Host, count: int) -> None:
    """A model that calls tools: whole, and with arguments in pieces."""
    garden, endpoint = host.garden, host.endpoint("chat")
    arguments = json.dumps({garden.text("called key", 1): [garden.text("called with", count)]})
    odd = json.dumps({"mark": garden.mark("called oddly"), "odd": "?"}).replace(
        "?", oddly(garden, garden.secret().text)
    )
    first = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
    events = [chunk_event({"tool_calls": [first]})]
    pieces = [{"index": 0, "function": {"arguments": piece}} for piece in garden.pieces(arguments)]
    events += [chunk_event({"tool_calls": [piece]}) for piece in pieces]
    events.append(
        chunk_event({"tool_calls": [{"index": 1, "id": "call_2", "function": {"name": "g", "arguments": odd}}]})
    )
    events += [chunk_event({}, "tool_calls"), event(b"[DONE]")]
    endpoint.llm_client.model = host.sending(b"".join(events))
    endpoint.llm_client.save()
    job = host.job(endpoint, "Hello")
    assert work_on(job.pk)
    assert fresh(job).status == "succeeded"
    read(host.post(f"{MODAL}/endpoints/{endpoint.pk}/stream/", {"input": "Hello"}))
    host.listen(job)


def jobs(host: Host, count: int) -> None:
    """A job that breaks off in the middle of a secret, and is tried again."""
    garden, endpoint = host.garden, host.endpoint("chat")
    endpoint.llm_client.model = host.saying(garden.text("first attempt", count // 3) + garden.cut(), end="lost")
    endpoint.llm_client.save()
    job = host.job(endpoint, garden.text("job's input", count // 3), **{"X-Correlation-ID": garden.secret("card").text})
    assert work_on(job.pk)
    assert fresh(job).status == "retrying"
    name = endpoint.llm_client.model.removeprefix("raw:")
    host.upstream.answers[name] = b"".join(chat_events(garden.pieces(garden.text("again", count // 3))))
    age(job, 3600)
    assert work_on(job.pk)
    assert kinds(fresh(job)) == ["queued", "started", "token", "retry", "started", "token", "final"]
    host.listen(job)


def jobs_that_succeed(host: Host, count: int) -> None:
    garden, endpoint = host.garden, host.endpoint("chat")
    endpoint.llm_client.model = host.saying(garden.text("logged", count))
    endpoint.llm_client.save()
    body = {"input": conversation(garden, 2)}
    path = f"{API}/endpoints/{endpoint.pk}/run/"
    answer = host.post(path, body, 202, Prefer="respond-async", **{"Idempotency-Key": "a job"})
    job = fresh(Job(pk=answer.json()["id"]))
    assert work_on(job.pk)
    assert fresh(job).status == "succeeded"
    assert "logged" in host.listen(job)


def jobs_that_are_cancelled(host: Host, count: int) -> None:
    for _ in range(count):
        garden, endpoint = host.garden, host.endpoint("chat")
        said = f"{garden.mark('cancelled')} {'word ' * 200}"
        endpoint.llm_client.model = host.saying(said + garden.text("held", 1) + garden.cut(), end="stall")
        endpoint.llm_client.save()
        job = host.job(endpoint, "Hello")
        with ThreadPoolExecutor(1) as thread:
            working = thread.submit(_work, job)
            while not JobEvent.objects.filter(job=job, type="token").exists():
                assert not working.done()
            cancel_job(fresh(job))
            working.result(60)
        assert fresh(job).status == "cancelled"
        host.listen(job)


def _work(job: Job) -> None:
    try:
        work_on(job.pk)
    finally:
        connections.close_all()


def replays(host: Host, count: int) -> None:
    endpoint, told = host.endpoint("echo"), host.garden.text("replayed", count)
    made = host.post(f"{API}/endpoints/{endpoint.pk}/run/", {"input": told}).json()["id"]
    host.told.append(("a replay", host.post(f"{API}/executions/{made}/replay/", {}).content.decode()))


def capabilities(host: Host, count: int) -> None:
    """A capability of the host's own that tells everything it knows, and fails with it."""
    garden = host.garden
    garden.own = ""

    async def script(ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        for piece in garden.pieces(garden.text("said", count)):
            yield RunEvent(EventType.TOKEN, {"text": piece})
        yield RunEvent(EventType.PROGRESS, {"done": 1, "message": garden.text("", 1), garden.secret().text: [1]})
        yield RunEvent(EventType.LOG, {"level": "info", "message": garden.text("", 1)})
        yield RunEvent(EventType.RETRY, {"attempt": 2, "after_seconds": 0, "code": garden.text("code", 1)})
        yield RunEvent(EventType.TOKEN, {"text": f"{garden.mark('last')} {garden.cut()}"})
        if ctx.input == "theirs":
            raise UpstreamFailed(garden.text("detail", 1))
        try:
            raise ValueError(garden.secret().text)
        except ValueError as exc:
            raise RuntimeError(garden.secret().text) from exc

    host.write(script)
    endpoint = Endpoint.objects.filter(slug="written").first() or written_endpoint()
    for given in ("theirs", "ours"):
        host.post(f"{API}/endpoints/{endpoint.pk}/run/", {"input": given}, 502 if given == "theirs" else 500)
        job = host.job(endpoint, given)
        Job.objects.filter(pk=job.pk).update(max_attempts=1)
        assert work_on(job.pk)
        host.listen(job)


def embeddings(host: Host, count: int) -> None:
    endpoint = host.endpoint("fake-embed", task_types=["llm.embed"])
    host.post(f"{API}/endpoints/{endpoint.pk}/run/", {"input": {"text": host.garden.text("embedded", count)}})


def events(host: Host, count: int) -> None:
    garden = host.garden
    garden.own = ""

    def one(number: int) -> dict[str, Any]:
        payload = {
            garden.text("payload's key", 1): [garden.text("payload", 1)],
            "as JSON": json.dumps({"a": garden.secret().text}),
        }
        named = {"type": f"{number}:{garden.secret('sk').text}", "source": garden.secret("sk", "key").text}
        return {**named, "payload": payload, "idempotency_key": garden.secret("sk", "key", "card").text}

    path, sent = f"{API}/events/", [one(number) for number in range(max(1, count // 6))]
    correlated = {"X-Correlation-ID": garden.secret("sk").text.replace("_", "x")}
    for _ in range(2):
        host.post(path, sent, 201, **correlated)
    host.told.append(("the list of events", host.api.get(path).content.decode()))


def artifacts(host: Host, count: int) -> None:
    garden = host.garden
    garden.own = ""
    for _ in range(count):
        # None with a slash, at which the test's client would cut the name.
        name = f"{garden.mark('file')} {garden.secret('sk', 'key', 'card', 'checked').text}.txt"
        kind = f"{garden.secret('sk').text.replace('_', 'x')}/x"
        file = SimpleUploadedFile(name, b"x", kind)
        answer = host.api.post(f"{API}/artifacts/", {"file": file}, format="multipart")
        assert answer.status_code == 201, answer.content
        host.told.append(("an upload", answer.content.decode()))


DOORS: dict[Callable[[Host, int], None], float] = {
    run: 0.1,
    stream: 0.15,
    chat: 0.1,
    tools: 0.1,
    jobs: 0.1,
    jobs_that_succeed: 0.15,
    replays: 0.1,
    embeddings: 0.05,
    events: 0.1,
    capabilities: 0.1,
    artifacts: 0.01,
    broken_streams: 0.01,
    streams_that_are_left: 0.004,
    jobs_that_are_cancelled: 0.001,
}


@pytest.fixture
def host(
    upstream: FakeUpstream,
    write: Any,  # noqa: F811
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Host]:
    settings.AUTOMATE_API_REDACT_PATTERNS, settings.AUTOMATE_API_REDACTOR = PATTERNS, REDACTOR
    settings.AUTOMATE_API_JOB_ATTEMPTS = 2
    monkeypatch.setattr(attempts, "CANCEL_INTERVAL", 0.05)
    monkeypatch.setattr(attempts, "LOG_INTERVAL", 0.01)
    monkeypatch.setattr(transports, "WSGI_SILENCE", 0.05)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA secure_delete = ON")
    return Host(upstream, write, seed=SECRETS)


def test_no_secret_is_kept_in_clear_whatever_door_it_comes_through(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for door, share in DOORS.items():
        door(host, max(2, round(share * SECRETS)))
    made = host.garden.made
    kept = [*kept_in_database(), *host.told]
    require(host.garden.marks, kept)
    assert len(made) >= SECRETS
    assert {secret.kind for secret in made} == set(Garden.KINDS)
    kept.append(("the log", caplog.text))
    if connection.vendor == "sqlite":
        kept += kept_in_file()
    found = search(made, kept)
    print(f"{len(made)} secrets, {len(kept)} texts of {sum(len(text) for _, text in kept)} characters")  # for -s
    assert not found, "\n".join(map(str, found))


def test_the_search_finds_what_is_not_redacted(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same doors without redaction: that nothing is found above is not the search's fault."""
    monkeypatch.setattr(redaction._Texts, "__missing__", lambda self, text: text)
    for door in (run, stream, jobs_that_succeed, events):
        door(host, 40)
    some, kept = host.garden.made[::15], list(kept_in_database())
    assert len(some) > 10
    assert [secret for secret in some if not search([secret], kept)] == []


@pytest.mark.parametrize("spelled", SPELLED.values(), ids=SPELLED)
def test_the_search_finds_a_part_of_a_secret_however_it_is_spelled(spelled: Callable[[str], str]) -> None:
    secret = Secret("own", "", 'Q/7f+"k29\\xW%4mT=pLs')
    part = spelled(secret.core[3 : 3 + TELLING])
    assert search([secret], [("here", f"before {part} after")])
    assert not search([secret], [("here", f"before {spelled(secret.core[3 : 2 + TELLING])} after")])
