"""A client of the API in the standard library's words, so that nothing is hidden."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from example_project.demo.console import DemoError, detail, styled

TIMEOUT = 120  # seconds without a byte


@dataclass(frozen=True, slots=True)
class Event:
    """A server-sent event and when it came, in seconds since the request."""

    name: str
    data: dict[str, Any]
    after: float


@dataclass(frozen=True, slots=True)
class Client:
    """Calls the API on 127.0.0.1 with an API key."""

    port: int
    api_key: str

    def url(self, path: str) -> str:
        """The full address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def call(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
        """Print and send a request; its JSON answer. DemoError unless the status is `expect`."""
        connection = self._send(method, path, body, accept="application/json")
        try:
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, HTTPException) as error:
            raise DemoError(f"{method} {path}: no answer ({error!r})") from error
        finally:
            connection.close()
        self._check(method, path, answer, text, expect)
        return json.loads(text)

    def stream(self, path: str, body: Any = None) -> Iterator[Event]:
        """Print and send a request, a POST where it has a body; its events, each as it arrives.

        DemoError unless they are well-formed.
        """
        started, method = time.monotonic(), "GET" if body is None else "POST"
        connection = self._send(method, path, body, accept="text/event-stream")
        try:
            answer = connection.getresponse()
            if answer.status != 200 or answer.headers.get_content_type() != "text/event-stream":
                self._check(method, path, answer, answer.read().decode(), expect=200)
                raise DemoError(f"{method} {path} answered {answer.headers['Content-Type']}, not an event stream")
            yield from _events(answer, started)
        except (OSError, HTTPException) as error:
            raise DemoError(f"{method} {path}: the stream broke off ({error!r})") from error
        finally:
            connection.close()

    def _send(self, method: str, path: str, body: Any, *, accept: str) -> HTTPConnection:
        shown = "" if body is None else f"  {json.dumps(masked(body), ensure_ascii=False)}"
        detail(styled(f"{method} {path}", "36") + shown)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        headers = {"Authorization": f"Bearer {self.api_key}", "Accept": accept}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        except OSError as error:
            raise DemoError(f"{method} {path}: the server cannot be reached ({error})") from error
        return connection

    @staticmethod
    def _check(method: str, path: str, answer: HTTPResponse, text: str, expect: int) -> None:
        if answer.status != expect:
            raise DemoError(f"{method} {path} answered {answer.status}, not {expect}:\n      {text[:1000]}")


def masked(body: Any) -> Any:
    """A body to print: without its key."""
    return {**body, "api_key": "…"} if isinstance(body, dict) and "api_key" in body else body


def _events(answer: HTTPResponse, started: float) -> Iterator[Event]:
    """The events of a stream (the field grammar of the HTML standard, section 9.2), comments left out."""
    name, data = "", ""
    while raw := answer.readline():
        line = raw.decode().rstrip("\r\n")
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data += value
        elif not line and data:
            yield Event(name, json.loads(data), time.monotonic() - started)
            name, data = "", ""
