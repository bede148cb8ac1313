"""A secret that is planted must be found nowhere: not in an answer, a log line, a database cell or an admin page."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.servers import Served, environment, free_port, seed, served

pytestmark = pytest.mark.slow

CANARY = "canary-9f8e7d6c5b4a-secret"


class Tattletale(BaseHTTPRequestHandler):
    """A model server that repeats the key it was sent, in every way its path asks for."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._tell()

    def do_GET(self) -> None:
        self._tell()

    def _tell(self) -> None:
        how, key = self.path.split("/")[1], self.headers.get("Authorization", "")
        message = {"error": {"message": f"bad key {key}", "code": key}}
        if how.isdigit():
            self._send(
                int(how), json.dumps(message).encode(), Location=f"http://169.254.169.254/?{urlencode({'k': key})}"
            )
        elif how == "garbage":
            self._send(200, f"<html>{key}</html>".encode())
        elif how == "text":
            answer = {"message": {"role": "assistant", "content": f"you sent {key}!"}, "finish_reason": "stop"}
            self._send(200, json.dumps({"model": key, "choices": [{"index": 0, **answer}]}).encode())
        else:
            pieces = [key[start : start + 3] for start in range(0, len(key), 3)]
            chunks = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
            events = [*chunks, message] if how == "stream-error" else chunks
            self._send(200, b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events))

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status, "Whatever")
        for name, value in {
            "Content-Length": str(len(body)),
            "X-Debug": self.headers.get("Authorization", ""),
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def tattletale() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tattletale)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def raw(server: Served, method: str, path: str, body: bytes, **headers: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    answer = f"{response.status} {response.headers} {response.read().decode()}"
    connection.close()
    return answer


def run(server: Served, base_url: str, how: str, **endpoint: Any) -> list[str]:
    """Both ways to run an endpoint on a provider with the canary as its key; the answers."""
    number = len(server.made)
    provider = {
        "name": f"{how} {number}",
        "base_url": base_url,
        "api_key": CANARY,
        "max_retries": 0,
        "timeout_seconds": 2,
    }
    _status, made = server.call("POST", "/api/v1/providers/", provider)
    _status, client = server.call(
        "POST", "/api/v1/llm-clients/", {"name": provider["name"], "provider": made["id"], "model": "m"}
    )
    body = {"name": provider["name"], "task_types": ["llm.chat"], "llm_client": client["id"], **endpoint}
    _status, ready = server.call("POST", "/api/v1/endpoints/", body)
    server.made[f"{how} {number}"] = ready["id"]
    asked = json.dumps({"input": "Hello"}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {server.keys['acme-staff']}"}
    paths = (f"/api/v1/endpoints/{ready['id']}/run/", f"/api/v1/modal/endpoints/{ready['id']}/stream/")
    answers = [raw(server, "POST", path, asked, **headers) for path in paths]
    answers.append(raw(server, "POST", f"/api/v1/providers/{made['id']}/test/", b"{}", **headers))
    return [json.dumps([made, client, ready]), *answers]


def refused(server: Served) -> list[str]:
    """Requests that fail before anything runs, with the canary in a body or a header."""
    key = {"Content-Type": "application/json", "Authorization": f"Bearer {server.keys['acme-staff']}"}
    path = "/api/v1/providers/"
    fields = {"name": "x", "slug": "taken", "base_url": "https://model.example/v1", "api_key": CANARY}
    bodies = (
        fields,
        fields,
        {**fields, "slug": "other", "base_url": "http://127.0.0.1:1/v1"},
        {**fields, "slug": "third", "base_url": f"https://{CANARY}@model.example/v1"},
        {**fields, "slug": "fourth", "api_key": f"{CANARY}\r\nX-Injected: 1"},
        {**fields, "slug": "fifth", "timeout_seconds": "soon"},
    )
    answers = [raw(server, "POST", path, json.dumps(body).encode(), **key) for body in bodies]
    answers.append(raw(server, "POST", path, f'{{"api_key": "{CANARY}", '.encode(), **key))
    credentials = ({"Authorization": f"Bearer {CANARY}"}, {"X-API-Key": CANARY}, {"Cookie": f"sessionid={CANARY}"})
    odd = {**key, "X-Correlation-ID": f"{CANARY} with spaces"}
    return answers + [raw(server, "GET", path, b"", **headers) for headers in (*credentials, odd)]


def admin_pages(server: Served) -> Iterator[str]:
    """Every list and every row of the package in the admin, as a superuser."""
    login = "/admin/login/?next=/admin/"
    token = re.search(r"csrftoken=(\w+)", raw(server, "GET", login, b""))
    assert token
    form = urlencode({"username": "root", "password": "root", "csrfmiddlewaretoken": token[1]}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={token[1]}"}
    session = re.search(r"sessionid=(\w+)", raw(server, "POST", login, form, **headers))
    assert session
    cookie = {"Cookie": f"sessionid={session[1]}"}
    for model in ("provider", "llmclient", "endpoint", "execution", "promptlog", "apikey"):
        page = raw(server, "GET", f"/admin/automate_api/{model}/", b"", **cookie)
        assert page.startswith("200")
        yield page
        for row in set(re.findall(rf"/admin/automate_api/{model}/([^/]+)/change/", page)):
            for kind in ("change", "history", "delete"):
                answer = raw(server, "GET", f"/admin/automate_api/{model}/{row}/{kind}/", b"", **cookie)
                assert answer.startswith("200"), answer[:200]
                yield answer


@pytest.mark.parametrize("name", ["gunicorn-gthread", "uvicorn"])
def test_a_planted_secret_is_found_nowhere(name: str, tmp_path: Path, tattletale: str) -> None:
    closed = f"127.0.0.1:{free_port()}"
    env = environment(
        f"sqlite:///{tmp_path}/db.sqlite3", SERVED_PRIVATE_HOSTS=f"{tattletale},{closed}", SERVED_DEBUG="1"
    )
    answers: list[str] = []
    with served(name, env, seed(env), tmp_path / "server.log") as server:
        for how in ("400", "401", "403", "404", "429", "500", "302", "garbage", "text", "stream", "stream-error"):
            answers += run(server, f"http://{tattletale}/{how}/v1", how)
        answers += run(server, f"http://{closed}/v1", "closed")
        answers += run(server, f"http://{tattletale}/text/v1", "careless", task_types=["test.careless"])
        answers += refused(server)
        for path in ("executions", "prompt-logs", "providers", "llm-clients", "endpoints", "models"):
            answers.append(
                raw(server, "GET", f"/api/v1/{path}/", b"", Authorization=f"Bearer {server.keys['acme-staff']}")
            )
        answers += admin_pages(server)
    assert len(answers) > 150
    assert [answer for answer in answers if CANARY in answer] == []
    assert sum("upstream_" in answer for answer in answers) > 20, "the paths did not fail as they should"
    log = (tmp_path / "server.log").read_text()
    assert "RuntimeError: could not call with" in log
    assert CANARY not in log
    for file in tmp_path.iterdir():
        assert CANARY.encode() not in file.read_bytes(), file.name
