"""Requests as a WSGI server makes them, without sockets: the environment in, the body drained, `close()` called."""

import cProfile
import io
import itertools
import pstats
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis.connection
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test.utils import override_settings

ORIGIN = "https://app.example.com"

_CORS = "corsheaders.middleware.CorsMiddleware"


def handler(*, cors: bool) -> WSGIHandler:
    """Django with django-cors-headers' middleware, or with none."""
    with override_settings(MIDDLEWARE=[_CORS] if cors else []):
        return WSGIHandler()


@dataclass(frozen=True, slots=True)
class Cost:
    """What can be counted of one request, whatever else the machine does.

    SQL statements, round trips to Redis, function calls in Python, and the answer's size in bytes.
    """

    sql: int
    redis: int
    calls: int
    size: int


class Call:
    """One kind of request, again and again.

    Args:
        app: the WSGI application.
        authorization: the header.
        body: makes the body of the request with this number; None: a GET.
    """

    def __init__(
        self, app: WSGIHandler, path: str, authorization: str, body: Callable[[int], bytes] | None = None
    ) -> None:
        self._app, self._body, self._numbers = app, body, itertools.count()
        self._environ = _environ(path, authorization, "GET" if body is None else "POST")

    def one(self) -> bytes:
        """Make it once; the answer's body.

        Raises:
            RuntimeError: the answer is an error.
        """
        environ, body = self._environ.copy(), b""
        if self._body is not None:
            body = self._body(next(self._numbers))
            environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        status: list[str] = []
        response = self._app(environ, lambda line, _headers, _exc=None: status.append(line))
        answer = b"".join(response)
        response.close()
        if not status[0].startswith("2"):
            raise RuntimeError(f"{environ['PATH_INFO']}: {status[0]}: {answer[:400]!r}")
        return answer

    def batch(self, times: int) -> tuple[float, float]:
        """Make it `times`; seconds and seconds of processor of this process for each."""
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(times):
            self.one()
        return (time.perf_counter() - wall) / times, (time.process_time() - cpu) / times

    def cost(self) -> Cost:
        """What the second one costs; the first has to make what is made once."""
        self.one()
        statements: list[str] = []

        def note(execute: Any, sql: str, *rest: Any) -> Any:
            statements.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note), _round_trips() as trips:
            size = len(self.one())
        return Cost(len(statements), len(trips), self._function_calls(), size)

    def _function_calls(self) -> int:
        profile = cProfile.Profile()
        profile.runcall(self.one)
        return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def forget_limits() -> None:
    """Empty the limits' counters: REST framework's keep every request, and grow dearer with each."""
    cache.clear()


@contextmanager
def _round_trips() -> Iterator[list[None]]:
    trips: list[None] = []
    send = redis.connection.Connection.send_packed_command

    def noted(*args: Any, **kwargs: Any) -> Any:
        trips.append(None)
        return send(*args, **kwargs)

    redis.connection.Connection.send_packed_command = noted
    try:
        yield trips
    finally:
        redis.connection.Connection.send_packed_command = send


def _environ(path: str, authorization: str, method: str) -> dict[str, Any]:
    path, _question, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_ACCEPT": "application/json",
        "HTTP_ORIGIN": ORIGIN,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if authorization:
        environ["HTTP_AUTHORIZATION"] = authorization
    if method == "POST":
        environ["CONTENT_TYPE"] = "application/json"
    return environ
