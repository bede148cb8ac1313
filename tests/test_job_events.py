"""Logs of jobs over real sockets, from real servers: left at any event and resumed, nothing is lost or doubled.

`AUTOMATE_TEST_LOG_EVENTS` is how many events the log has that is left after each of them; 60 unless it is set.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
import pytest

from automate_api.engine.storage import THREADS
from tests.conftest import REQUIRED
from tests.servers import HASTY, PRELOADED, ROOT, SERVERS, Served, environment, served, until

pytestmark = pytest.mark.slow

API, MODAL = "/api/v1", "/api/v1/modal"
#: Those that the contract names.
BROWSED = ("gunicorn-gthread", "uvicorn", "granian-asgi")
CHROMIUM = Path("/usr/bin/chromium")
EVENTS = int(os.environ.get("AUTOMATE_TEST_LOG_EVENTS") or 60)

Frame = tuple[int, str, str]


class Control:
    """A process that makes jobs, works on them, and does to them what the web cannot."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        command = [sys.executable, "-m", "tests.hosts.joblog.control"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=env, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)

    def __call__(self, name: str, **arguments: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([name, arguments]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def kill(self) -> None:
        """As `kill -9` does."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


class Steps:
    """Lets a job say one thing after the other."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(60)
        self.port: int = self._listening.getsockname()[1]
        self._speaker: socket.socket | None = None

    def step(self) -> None:
        """The next event."""
        if self._speaker is None:
            self._speaker, _address = self._listening.accept()
        self._speaker.sendall(b"\n")

    def wait_for_another(self) -> None:
        """The next step is another attempt's."""
        self.close_speaker()
        self._speaker = None

    def close_speaker(self) -> None:
        if self._speaker is not None:
            self._speaker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close_speaker()
        self._listening.close()


@dataclass
class Listening:
    """A stream that is read frame by frame, as they are."""

    connection: http.client.HTTPConnection
    response: http.client.HTTPResponse
    comments: int = 0
    preamble: list[str] = field(default_factory=list)

    def frame(self) -> Frame | None:
        """The next event's id, type and data as text; None where the stream has ended."""
        fields: dict[str, str] = {}
        while line := self.response.readline():
            text = line.decode().rstrip("\n")
            if not text and "event" in fields:
                return int(fields["id"]), fields["event"], fields["data"]
            name, _colon, value = text.partition(": ")
            self.comments += text.startswith(":")
            fields[name] = value
        return None

    def frames(self, count: int | None = None) -> list[Frame]:
        """The next `count` events, or all."""
        found: list[Frame] = []
        while (count is None or len(found) < count) and (frame := self.frame()) is not None:
            found.append(frame)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.response.close()
        self.connection.close()


@dataclass
class Ground:
    """A server, who works on its jobs, and the user's session."""

    server: Served
    control: Control
    session: str
    database_url: str

    def listen(self, job: str, after: int | str | None = None, *, at: str = API) -> Listening:
        """Start to read a job's log."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        stream = self.server.send("GET", f"{at}/jobs/{job}/events/", who="ann", **headers)
        return Listening(stream.connection, stream.response)

    def log_of(self, job: str) -> list[Frame]:
        """All of it."""
        with self.listen(job) as listening:
            return listening.frames()

    def memory(self) -> int:
        """Bytes that the server's processes hold."""
        return sum(process.memory_info().rss for process in self._processes())

    def threads(self) -> int:
        """How many threads they have."""
        return sum(process.num_threads() for process in self._processes())

    def _processes(self) -> list[psutil.Process]:
        root = psutil.Process(self.server.process.pid)
        return [root, *root.children(recursive=True)]


@contextlib.contextmanager
def standing(name: str, folder: Path, database_url: str, **extra: str) -> Iterator[Ground]:
    """A server on an empty database."""
    env = environment(database_url, DJANGO_SETTINGS_MODULE="tests.hosts.joblog.settings", **extra)
    with Control(env) as control:
        ann = control("setup")
        with served(name, env, {"ann": ann["key"]}, folder / "server.log") as server:
            yield Ground(server, control, ann["session"], database_url)


@pytest.fixture(scope="module", params=sorted(SERVERS))
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    with standing(request.param, folder, f"sqlite:///{folder}/db.sqlite3", SERVED_LEASE="1") as found:
        yield found


def ids(frames: list[Frame]) -> list[int]:
    return [number for number, _kind, _data in frames]


def test_a_log_cut_after_any_event_and_resumed_is_the_uncut_one(ground: Ground) -> None:
    job = ground.control("make", count=EVENTS - 3)
    assert ground.control("work", job=job)
    uncut = ground.log_of(job)
    assert ids(uncut) == list(range(1, EVENTS + 1))
    assert (uncut[0][1], uncut[1][1], uncut[-1][1]) == ("queued", "started", "final")
    for after in range(EVENTS):
        at = (API, MODAL)[after % 2]
        with ground.listen(job, at=at) as first:
            before = first.frames(after)
        with ground.listen(job, before[-1][0] if before else None, at=at) as second:
            assert before + second.frames() == uncut, after
    with ground.listen(job, EVENTS) as nothing_more:
        assert nothing_more.response.status == 204
        assert nothing_more.response.read() == b""


def test_a_log_left_after_each_event_of_a_job_that_runs_is_the_uncut_one(ground: Ground) -> None:
    with Steps() as steps:
        job = ground.control("make", count=10, port=steps.port)
        with ground.listen(job) as stays:
            kept = stays.frames(1)
            pieces = list(kept)
            ground.control("begin", job=job)
            for _ in range(10):
                with ground.listen(job, pieces[-1][0]) as leaves:
                    if len(pieces) == 1:
                        pieces += leaves.frames(1)
                    steps.step()
                    pieces += leaves.frames(1)
            with ground.listen(job, pieces[-1][0]) as last:
                pieces += last.frames()
            kept += stays.frames()
    assert ids(kept) == list(range(1, 14))
    assert pieces == kept == ground.log_of(job)
    assert ground.control("status", job=job)["status"] == "succeeded"


def test_to_leave_cancels_nothing_and_leaves_nothing_behind(ground: Ground) -> None:
    def count() -> int:
        return int(ground.server.call("GET", "/listeners/", who="ann")[1]["count"])

    with Steps() as steps:
        job = ground.control("make", count=1, port=steps.port)
        ground.control("begin", job=job)
        with contextlib.ExitStack() as streams:
            listeners = [streams.enter_context(ground.listen(job)) for _ in range(20)]
            assert [ids(listener.frames(2)) for listener in listeners] == [[1, 2]] * 20
            assert count() == 20
        assert until(lambda: count() == 0)
        steps.step()
        with ground.listen(job, 2) as listening:
            assert [kind for _number, kind, _data in listening.frames()] == ["progress", "final"]
    assert ground.control("status", job=job)["status"] == "succeeded"


def test_a_listener_sees_its_worker_die_and_another_finish(ground: Ground) -> None:
    with Steps() as steps:
        job = ground.control("make", count=3, port=steps.port)
        with ground.listen(job) as listening, Control(ground.control.env) as worker:
            worker("begin", job=job)
            for _ in range(2):
                steps.step()
            seen = listening.frames(4)
            worker.kill()
            steps.wait_for_another()
            assert until(lambda: ground.control("reap_jobs") == 1)
            ground.control("begin", job=job)
            for _ in range(3):
                steps.step()
            seen += listening.frames()
    kinds = ["queued", "started", "progress", "log", "retry", "started", "progress", "log", "log", "final"]
    assert [(number, kind) for number, kind, _data in seen] == list(enumerate(kinds, 1))
    assert json.loads(seen[4][2]) == {"attempt": 2, "after_seconds": 0, "code": "worker_lost"}


def test_a_stream_of_a_job_that_is_deleted_ends(ground: Ground) -> None:
    job = ground.control("make", count=1)
    with ground.listen(job) as listening:
        assert ids(listening.frames(1)) == [1]
        ground.control("delete", job=job)
        assert listening.frame() is None
    with ground.listen(job, 1) as again:
        assert again.response.status == 404


def test_what_is_left_of_a_pruned_log_is_its_end(ground: Ground) -> None:
    job = ground.control("make", count=3)
    ground.control("work", job=job)
    ground.control("prune", job=job)
    for after in (None, 0, 3, 5):
        with ground.listen(job, after) as listening:
            assert [(number, kind) for number, kind, _data in listening.frames()] == [(6, "final")]


def test_a_reader_who_does_not_read_costs_no_memory(ground: Ground, record_property: Any) -> None:
    """While the job logs 50 MB, which another reader reads to its end."""
    job = ground.control("make", count=1)
    with ground.listen(job) as reads, does_not_read(ground, job) as sleeper:
        assert ids(reads.frames(1)) == [1]
        before = ground.memory()
        flood = threading.Thread(
            target=ground.control, args=("flood",), kwargs={"job": job, "count": 1000, "size": 1000, "times": 50}
        )
        flood.start()
        assert ids(reads.frames(50_000))[-1] == 50_001
        flood.join()
        grown = ground.memory() - before
        record_property("bytes grown", grown)
        print(f"{grown / 1e6:.1f} MB more while a reader slept through 50 MB")
        assert grown < 25_000_000
        ground.control("finish", job=job)
        assert [kind for _number, kind, _data in reads.frames()] == ["final"]
        assert count_events(sleeper) == 50_002


@contextlib.contextmanager
def does_not_read(ground: Ground, job: str) -> Iterator[socket.socket]:
    """A socket on which the log is asked for, and of which nothing is read yet."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(60)
        client.connect(("127.0.0.1", ground.server.port))
        client.sendall(
            f"GET {API}/jobs/{job}/events/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            f"Authorization: Bearer {ground.server.keys['ann']}\r\n\r\n".encode()
        )
        yield client


def count_events(client: socket.socket) -> int:
    """How many events come until the connection is closed."""
    count, rest = 0, b""
    while piece := client.recv(1_000_000):
        *lines, rest = (rest + piece).split(b"\n")
        count += sum(line.startswith(b"data: ") for line in lines)
    return count


def test_huge_events_come_whole(ground: Ground) -> None:
    job = ground.control("make", count=1)
    with ground.listen(job) as listening:
        assert ids(listening.frames(1)) == [1]
        ground.control("flood", job=job, count=2, size=3_000_000, times=2)
        ground.control("finish", job=job)
        found = listening.frames()
    assert [(number, kind, len(data) > 3_000_000) for number, kind, data in found] == [
        *((number, "log", True) for number in range(2, 6)),
        (6, "final", False),
    ]
    assert found == ground.log_of(job)[1:]


# -- what a server does ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_streams_that_wait_hold_neither_a_connection_nor_under_asgi_a_thread(
    name: str, tmp_path: Path, postgres_url: str
) -> None:
    """But for the one thread that reads for all of them, and its connection."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with standing(name, tmp_path, postgres_url) as ground, contextlib.ExitStack() as streams:
        job = ground.control("make", count=1)
        threads = ground.threads()
        listeners = [streams.enter_context(ground.listen(job, at=(API, MODAL)[n % 2])) for n in range(40)]
        assert [ids(listener.frames(1)) for listener in listeners] == [[1]] * 40
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            # The control's own, and the feed's.
            assert until(lambda: (connection.execute(query).fetchone() or [99])[0] <= 2)
        # Those that all requests share, and the feed's.
        assert "wsgi" in name or "gunicorn" in name or until(lambda: ground.threads() <= threads + THREADS + 1)
        ground.control("work", job=job)
        assert [ids(listener.frames()) for listener in listeners] == [[2, 3, 4]] * 40


def test_a_server_that_forks_while_it_listens_serves_its_streams(tmp_path: Path) -> None:
    with standing(PRELOADED, tmp_path, f"sqlite:///{tmp_path}/db.sqlite3") as ground, contextlib.ExitStack() as streams:
        job = ground.control("make", count=1)
        listeners = [streams.enter_context(ground.listen(job)) for _ in range(8)]
        assert [ids(listener.frames(1)) for listener in listeners] == [[1]] * 8
        ground.control("work", job=job)
        assert [ids(listener.frames()) for listener in listeners] == [[2, 3, 4]] * 8


def test_a_server_that_is_ended_lets_its_streams_go_and_the_next_one_takes_them_up(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path}/db.sqlite3"
    with standing(HASTY, tmp_path, database_url) as ground:
        job = ground.control("make", count=1)
        with ground.listen(job) as listening:
            seen = listening.frames(1)
            ground.server.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(OSError, http.client.HTTPException):
                assert listening.frame() is None
        assert ground.server.process.wait(20) is not None
        assert ground.control("work", job=job)
        with served("uvicorn", ground.control.env, ground.server.keys, tmp_path / "next.log") as server:
            resumed = Ground(server, ground.control, ground.session, database_url)
            with resumed.listen(job, seen[-1][0]) as listening:
                assert ids(seen + listening.frames()) == [1, 2, 3, 4]


# -- a browser -------------------------------------------------------------------------------------------------------


class Cutter:
    """A proxy that cuts connections: `/cut/<k>/…` after k events, and often in the middle of the next."""

    _EVENT = re.compile(rb"\ndata: [^\n]*\n\n")

    def __init__(self, port: int) -> None:
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listening.getsockname()[1]
        self.asked: list[tuple[str, str | None, int]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listening.accept()[0],), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._port)) as server, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(65_536)
                if not piece:
                    return
                head += piece
            cut = re.match(rb"GET (/cut/(\d+))/", head)
            after = re.search(rb"\r\nLast-Event-ID: ([^\r]*)\r\n", head, re.IGNORECASE)
            limit = int(cut[2]) if cut and not after else None
            head = head.replace(cut[1], b"", 1) if cut else head
            server.sendall(
                re.sub(rb"\r\nConnection: [^\r]*", b"", head).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            )
            answer = self._relay(server, client, limit)
            status = int(answer[9:12]) if answer else 0
            self.asked.append((cut[2].decode() if cut else "", after[1].decode() if after else None, status))

    def _relay(self, server: socket.socket, client: socket.socket, limit: int | None) -> bytes:
        seen, sent = b"", 0
        while piece := server.recv(65_536):
            seen += piece
            end = self._end(seen, limit)
            client.sendall(seen[sent:end])
            sent = end
            if end < len(seen) or (limit is not None and len(self._EVENT.findall(seen)) >= limit):
                break
        return seen

    def _end(self, seen: bytes, limit: int | None) -> int:
        if limit is None:
            return len(seen)
        events = list(self._EVENT.finditer(seen))
        if len(events) < limit:
            return len(seen)
        return events[limit - 1].end() + (15 if limit % 2 else 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._listening.close()


LISTEN = """
([paths, kinds]) => Promise.all(paths.map((path) => new Promise((resolve) => {
  const seen = [], source = new EventSource(path);
  for (const kind of kinds) {
    source.addEventListener(kind, (event) => {
      // What fails by itself is an error too, and has no data.
      if (event.data !== undefined) seen.push([Number(event.lastEventId), kind, event.data]);
    });
  }
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) resolve(seen);
  });
})))
"""
KINDS = ["queued", "started", "token", "progress", "log", "artifact", "retry", "final", "error", "cancelled"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        (pytest.fail if REQUIRED else pytest.skip)(f"there is no {CHROMIUM}")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextlib.contextmanager
def page_of(browser: Any, ground: Ground, port: int) -> Iterator[Any]:
    """A page of the host's origin, signed in."""
    origin = f"http://127.0.0.1:{port}"
    with browser.new_context() as context:
        context.add_cookies([{"name": "sessionid", "value": ground.session, "url": origin}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{origin}/held/")
        yield page


@pytest.mark.parametrize("ground", BROWSED, indirect=True)
def test_a_browser_connects_again_by_itself_and_stops_at_the_end(ground: Ground, browser: Any) -> None:
    """Cut after each event, all at once; each time the stream breaks off, and the browser goes on where it was."""
    job = ground.control("make", count=EVENTS - 3)
    ground.control("work", job=job)
    uncut = [list(frame) for frame in ground.log_of(job)]
    with Cutter(ground.server.port) as proxy, page_of(browser, ground, proxy.port) as page:
        paths = [f"/cut/{after}{API}/jobs/{job}/events/" for after in range(1, EVENTS + 1)]
        found = page.evaluate(LISTEN, [paths, KINDS])
        asked = proxy.asked
    for after, seen in enumerate(found, 1):
        assert seen == uncut, after
    for after in range(1, EVENTS):
        mine = [(last, status) for cut, last, status in asked if cut == str(after)]
        # What was on its way when the connection broke may not have reached the page.
        assert [mine[0], *mine[-2:]] == [(None, 200), (mine[-2][0], 200), (str(EVENTS), 204)], after
        assert {int(last or 0) for last, _status in mine[:-1]} <= set(range(after + 1)), after


@pytest.mark.parametrize("ground", BROWSED, indirect=True)
def test_a_browser_follows_a_job_that_runs(ground: Ground, browser: Any) -> None:
    """Three sources on one job: one uncut, two cut while it goes on."""
    with Steps() as steps, Cutter(ground.server.port) as proxy, page_of(browser, ground, proxy.port) as page:
        job = ground.control("make", count=6, port=steps.port)
        paths = [f"{before}{API}/jobs/{job}/events/" for before in ("", "/cut/1", "/cut/4")]
        page.evaluate(f"(given) => {{ window.found = ({LISTEN})(given); }}", [paths, KINDS])
        ground.control("begin", job=job)
        for _ in range(6):
            steps.step()
        found = page.evaluate("window.found")
    whole = [list(frame) for frame in ground.log_of(job)]
    assert found == [whole] * 3
