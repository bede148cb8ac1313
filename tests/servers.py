"""Real servers in processes of their own, and a small client for them."""

import atexit
import contextlib
import functools
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent

#: Server name → its command line, where `{port}` is the port.
SERVERS = {
    "gunicorn-gthread": "gunicorn tests.hosts.served.wsgi -b 127.0.0.1:{port} -k gthread --threads 250 --timeout 60",
    "uvicorn": "uvicorn tests.hosts.served.asgi:application --port {port} --lifespan off",
    "granian-asgi": "granian --interface asgi --port {port} tests.hosts.served.asgi:application",
    "granian-wsgi": "granian --interface wsgi --port {port} --blocking-threads 64 tests.hosts.served.wsgi:application",
}

#: Further ones: eight processes that share nothing but the database and the cache, and the example host.
EIGHT_PROCESSES = "gunicorn-8"
EXAMPLE_HOST = "example-host"
#: One that listens to a job before it forks, and one that gives streams two seconds to end.
PRELOADED, HASTY = "gunicorn-preload", "uvicorn-hasty"
COMMANDS = SERVERS | {
    PRELOADED: "gunicorn tests.hosts.joblog.wsgi -b 127.0.0.1:{port} -k gthread -w 2 --threads 20 --preload",
    HASTY: SERVERS["uvicorn"] + " --timeout-graceful-shutdown 2",
    EIGHT_PROCESSES: "gunicorn tests.hosts.served.wsgi -b 127.0.0.1:{port} -k gthread -w 8 --threads 8",
    EXAMPLE_HOST: "uvicorn example_project.asgi:application --port {port} --lifespan off",
}


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(predicate: Callable[[], Any], *, seconds: float = 60) -> bool:
    """Whether `predicate` becomes true before `seconds` have passed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if predicate():
            return True
        time.sleep(0.02)
    return bool(predicate())


@dataclass
class Stream:
    """A response that is read event by event."""

    connection: http.client.HTTPConnection
    response: http.client.HTTPResponse

    def event(self) -> tuple[str, Any] | None:
        """The next event's type and data, comments passed over; None where the stream has ended."""
        fields: dict[str, str] = {}
        while line := self.response.readline():
            text = line.decode().rstrip("\n")
            if not text and "event" in fields:
                return fields["event"], json.loads(fields["data"])
            name, _, value = text.partition(": ")
            fields[name] = value
        return None

    def events(self) -> Iterator[tuple[str, Any]]:
        """All events to come."""
        while (event := self.event()) is not None:
            yield event

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Close the connection without reading on."""
        self.response.close()
        self.connection.close()


@dataclass
class Served:
    """One running server."""

    port: int
    keys: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path
    made: dict[str, int] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, *, who: str = "acme-staff", **headers: str) -> Stream:
        """Send a request and read the answer's head."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.keys[who]}", **headers} if who else headers
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Content-Type": "application/json", **headers})
        return Stream(connection, connection.getresponse())

    def call(self, method: str, path: str, body: Any = None, **arguments: Any) -> tuple[int, Any]:
        """Send a request and read the whole answer as JSON."""
        with self.send(method, path, body, **arguments) as answer:
            text = answer.response.read()
            return answer.response.status, json.loads(text) if text else None

    def make_endpoint(self, base_url: str, model: str, **provider: Any) -> int:
        """An endpoint of acme on `model`, made over HTTP."""
        if model not in self.made:
            provider = {"name": model, "base_url": base_url, "api_key": "sk-upstream-key", "max_retries": 0, **provider}
            made = {}
            for path, body in (
                ("providers", lambda: provider),
                ("llm-clients", lambda: {"name": model, "provider": made["providers"], "model": model}),
                ("endpoints", lambda: {"name": model, "task_types": ["llm.chat"], "llm_client": made["llm-clients"]}),
            ):
                status, answer = self.call("POST", f"/api/v1/{path}/", body())
                if status != 201:
                    raise AssertionError((status, answer))
                made[path] = answer["id"]
            self.made[model] = made["endpoints"]
        return self.made[model]

    def stream(self, endpoint: int, given: Any = "Hello") -> Stream:
        """Start a streamed run and read the answer's head."""
        return self.send("POST", f"/api/v1/modal/endpoints/{endpoint}/stream/", {"input": given})

    def chat(self, client: int, given: Any = "Hello") -> Stream:
        """Start a streamed chat and read the answer's head."""
        path = f"/api/v1/llm-clients/{client}/chat/"
        return self.send("POST", path, {"input": given}, Accept="text/event-stream")

    def leave_early(self, endpoint: int) -> socket.socket:
        """Send the request of a streamed run and read nothing; close the socket to leave."""
        body = b'{"input": "Hello"}'
        head = (
            f"POST /api/v1/modal/endpoints/{endpoint}/stream/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {self.keys['acme-staff']}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        client = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        client.sendall(head.encode() + body)
        return client

    def running(self) -> int:
        """How many executions are not at their end."""
        return len(self.call("GET", "/api/v1/executions/?status=running&page_size=200")[1]["results"])

    def held(self) -> dict[str, int]:
        """What the server's process still holds of runs."""
        answer: dict[str, int] = self.call("GET", "/held/")[1]
        return answer


def environment(database_url: str, **extra: str) -> dict[str, str]:
    """The environment of a server's process."""
    own = {"AUTOMATE_TEST_DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "tests.hosts.served.settings"}
    return {**os.environ, "PYTHONPATH": str(ROOT), **own, **extra}


def seed(env: dict[str, str]) -> dict[str, str]:
    """Migrate and fill the database, which is empty; the API keys by user name.

    SQLite's is a copy of one that was made before, in a process of its own.
    """
    scheme, _colon, name = env["AUTOMATE_TEST_DATABASE_URL"].partition(":///")
    if scheme != "sqlite":
        return _seeded(env)
    file, keys = _seeded_file()
    shutil.copy(file, name)
    return dict(keys)


@functools.cache
def _seeded_file() -> tuple[Path, dict[str, str]]:
    folder = Path(tempfile.mkdtemp(prefix="automate-seeded-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "db.sqlite3"
    keys = _seeded(environment(f"sqlite:///{file}"))
    with contextlib.closing(sqlite3.connect(file)) as database:
        # All of it into the one file that is copied.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file, keys


def _seeded(env: dict[str, str]) -> dict[str, str]:
    command = [sys.executable, "-m", "tests.hosts.served.seed"]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    keys: dict[str, str] = json.loads(done.stdout)
    return keys


@contextlib.contextmanager
def served(server: str, env: dict[str, str], keys: dict[str, str], log: Path) -> Iterator[Served]:
    """A server that answers, ended afterwards."""
    port = free_port()
    command = [sys.executable, "-m", *COMMANDS[server].format(port=port).split()]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=env, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        if not until(lambda: process.poll() is not None or _answers(port), seconds=60) or process.poll() is not None:
            raise RuntimeError(log.read_text())
        yield Served(port, keys, process, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
