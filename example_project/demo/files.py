"""Files and events: one file goes in, one comes out, and an event has it done again without anybody asking."""

import hashlib
import json
import secrets
from typing import Any

from example_project.demo.client import Client
from example_project.demo.console import detail, heading
from example_project.demo.story import check, put

TEXT = "the quick brown fox jumps over the lazy dog and the dog sleeps on\n" * 1000


def count_words(client: Client) -> None:
    """The whole of it; needs a worker."""
    document = upload(client)
    create_endpoint(client)
    table = run(client, document)
    download(client, table)
    report(client, document)


def upload(client: Client) -> dict[str, Any]:
    """A file becomes an artifact."""
    heading("Upload a file")
    made: dict[str, Any] = client.upload("/api/v1/artifacts/", "fox.txt", TEXT.encode())
    check(made["sha256"] == hashlib.sha256(TEXT.encode()).hexdigest(), "the SHA-256 of what was sent", made)
    detail(f"Artifact {made['id']}: {made['size']} bytes, {made['content_type']}, until {made['expires_at']}")
    return made


def create_endpoint(client: Client) -> None:
    """An endpoint on a capability of the host's own: `example_project/documents/capabilities.py`."""
    heading("Create an endpoint on a capability of this host's own")
    put(client, "/api/v1/endpoints/", {"name": "Count words", "slug": "count-words", "task_types": ["words.count"]})


def run(client: Client, document: dict[str, Any]) -> dict[str, Any]:
    """A run that reads an artifact and makes one."""
    heading("Run it: it reads that file, and makes another")
    answer = client.call("POST", "/api/v1/modal/endpoints/count-words/run/", {"input": {"document": document["id"]}})
    check(answer["outputs"]["words"] == len(TEXT.split()), "all words counted", answer)
    [table] = answer["artifacts"]
    detail(f"{answer['outputs']['words']} words, {answer['outputs']['different']} different, in {table['name']}")
    return dict(table)


def download(client: Client, table: dict[str, Any]) -> None:
    """The file in two parts, as after a connection that broke off."""
    heading("Download that file: the first half, then the rest")
    path, half = f"/api/v1/modal/artifacts/{table['id']}/download/", table["size"] // 2
    first = client.read("GET", path, {"Range": f"bytes=0-{half - 1}"}, expect=206)
    rest = client.read("GET", path, {"Range": f"bytes={half}-"}, expect=206)
    check(hashlib.sha256(first + rest).hexdigest() == table["sha256"], "the same SHA-256", table)
    detail(f"{len(first)} + {len(rest)} bytes, whole")


def report(client: Client, document: dict[str, Any]) -> None:
    """An event, sent twice; the host's handler (`example_project/documents/handlers.py`) has a job made of it, once."""
    heading("Report an event twice: it is stored once, and a handler of the host's has the words counted, as a job")
    event = {
        "type": "document.received",
        "source": "demo",
        "payload": {"document": document["id"]},
        "idempotency_key": secrets.token_hex(8),
    }
    answers = client.call("POST", "/api/v1/events/", [event, event], expect=201)
    check([answer["status"] for answer in answers] == ["accepted", "duplicate"], "one accepted, one duplicate", answers)
    stored = client.call("GET", f"/api/v1/events/?idempotency_key={event['idempotency_key']}")["results"]
    check([row["id"] for row in stored] == [answers[0]["id"]], "one event", stored)
    together = stored[0]["correlation_id"]
    check(follow(client, together, "event.handle"), "a handler that was called", together)
    done = follow(client, together, "words.count")
    check(done["words"] == len(TEXT.split()), "all words counted", done)
    detail("Event, handler, job and file have one correlation id: " + together)


def follow(client: Client, correlation_id: str, task_type: str) -> dict[str, Any]:
    """The output of the one job of this request that did this, when it has ended."""
    query = f"correlation_id={correlation_id}&task_type={task_type}"
    executions = client.call("GET", f"/api/v1/executions/?{query}")["results"]
    check(len(executions) == 1, f"one execution of {task_type}", json.dumps(executions)[:500])
    [job] = client.call("GET", f"/api/v1/jobs/?execution={executions[0]['id']}")["results"]
    *_before, last = client.stream(f"/api/v1/jobs/{job['id']}/events/")
    check(last.name == "final", f"a job of {task_type} that succeeds", last)
    output: dict[str, Any] = last.data["output"]
    return output
