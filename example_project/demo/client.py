"""A client of the API in the standard library's words, so that nothing is hidden."""

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from example_project.demo.console import DemoError, detail, styled

TIMEOUT = 120  # seconds without a byte
_WIDTH = 360  # characters of a body that are printed

_TYPE_OF_JSON = {"Content-Type": "application/json"}


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

    def call(self, method: str, path: str, body: Any = None, *, expect: int = 200, is_shown: bool = True) -> Any:
        """Print, unless it has been shown before, and send a request; its JSON answer.

        DemoError unless the status is `expect`.
        """
        headers = {"Accept": "application/json", **_TYPE_OF_JSON}
        shown = printed(body) if is_shown else None
        return json.loads(self._read(method, path, _json(body), headers, expect=expect, shown=shown))

    def upload(self, path: str, name: str, content: bytes) -> Any:
        """Send a text file as the part `file` of a form (RFC 7578); the JSON answer of a 201."""
        boundary = secrets.token_hex(16)
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
        body = b"--%b\r\n%b%b\r\n--%b--\r\n" % (boundary.encode(), head.encode(), content, boundary.encode())
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return json.loads(self._read("POST", path, body, headers, expect=201, shown=f"  {name}"))

    def read(self, method: str, path: str, headers: dict[str, str], *, expect: int = 200) -> bytes:
        """Print and send a request without a body; the bytes of its answer. The headers may hold secrets."""
        return self._read(method, path, None, headers, expect=expect, shown=f"  with {', '.join(headers)}")

    def _read(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], *, expect: int, shown: str | None
    ) -> bytes:
        connection = self._send(method, path, body, headers, shown=shown)
        try:
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise DemoError(f"{method} {path}: no answer ({error!r})") from error
        finally:
            connection.close()
        self._check(method, path, answer, content, expect)
        return content

    def stream(self, path: str, body: Any = None) -> Iterator[Event]:
        """Print and send a request, a POST where it has a body; its events, each as it arrives.

        DemoError unless they are well-formed.
        """
        yield from _events(self.lines(path, body), started=time.monotonic())

    def lines(self, path: str, body: Any = None) -> Iterator[str]:
        """The same as lines, without their ends."""
        method = "GET" if body is None else "POST"
        headers = {"Accept": "text/event-stream", **_TYPE_OF_JSON}
        connection = self._send(method, path, _json(body), headers, shown=printed(body))
        try:
            answer = connection.getresponse()
            if answer.status != 200 or answer.headers.get_content_type() != "text/event-stream":
                self._check(method, path, answer, answer.read(), expect=200)
                raise DemoError(f"{method} {path} answered {answer.headers['Content-Type']}, not an event stream")
            for line in answer:
                yield line.decode().rstrip("\r\n")
        except (OSError, HTTPException) as error:
            raise DemoError(f"{method} {path}: the stream broke off ({error!r})") from error
        finally:
            connection.close()

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], *, shown: str | None
    ) -> HTTPConnection:
        if shown is not None:
            detail(styled(f"{method} {path}", "36") + shown)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {self.api_key}", **headers})
        except OSError as error:
            raise DemoError(f"{method} {path}: the server cannot be reached ({error})") from error
        return connection

    @staticmethod
    def _check(method: str, path: str, answer: HTTPResponse, content: bytes, expect: int) -> None:
        if answer.status != expect:
            text = content.decode(errors="replace")[:1000]
            raise DemoError(f"{method} {path} answered {answer.status}, not {expect}:\n      {text}")


def printed(body: Any) -> str:
    """A body to print, behind a path: without its key, and the beginning of a long one."""
    if body is None:
        return ""
    masked = {**body, "api_key": "…"} if isinstance(body, dict) and "api_key" in body else body
    text = json.dumps(masked, ensure_ascii=False)
    return f"  {text}" if len(text) <= _WIDTH else f"  {text[:_WIDTH]}…"


def _json(body: Any) -> bytes | None:
    return None if body is None else json.dumps(body).encode()


def _events(lines: Iterator[str], *, started: float) -> Iterator[Event]:
    """The events of a stream (the field grammar of the HTML standard, section 9.2), comments left out."""
    name, data = "", ""
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data += value
        elif not line and data:
            yield Event(name, json.loads(data), time.monotonic() - started)
            name, data = "", ""
