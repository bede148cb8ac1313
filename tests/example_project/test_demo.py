"""The demo's parts that need no model; `make demo ONCE=1` runs the whole."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import psutil
import pytest

from example_project.demo import __main__ as demo
from example_project.demo.client import Client, Event
from example_project.demo.console import DemoError
from example_project.demo.jobs import with_a_death
from example_project.demo.processes import running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent

STARTER = """
import sys, time
from pathlib import Path
from example_project.demo.processes import running
with running("tests.example_project.waits", log=Path(sys.argv[1]), env={}, read=True) as child:
    print(child.stdout.readline(), end="", flush=True)
    time.sleep(60)
"""


def start_demo(tmp_path, **environment):
    return subprocess.run(
        [sys.executable, "-m", "example_project.demo"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path / "data"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_taken_port_is_an_error_that_names_another(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = start_demo(tmp_path, PORT=str(port))
    assert ran.returncode == 1
    assert f"error: Port {port} of 127.0.0.1 cannot be used" in ran.stderr
    assert f"make demo PORT={port + 1}" in ran.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "²"])
def test_a_port_that_is_none_is_an_error(tmp_path, port):
    ran = start_demo(tmp_path, PORT=port)
    assert ran.returncode == 1
    assert "is not a port" in ran.stderr


def test_a_server_that_does_not_start_is_an_error_with_its_last_words(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "demo", lambda: demo.wait_for_port(*ended_process(tmp_path)))
    assert demo.main() == 1
    assert "no such module" in capsys.readouterr().err


def ended_process(tmp_path):
    log = tmp_path / "server.log"
    log.write_text("no such module\n")
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], text=True)
    process.wait()
    return process, 1, log


def test_children_end_with_the_block_that_runs_them(tmp_path):
    with running("tests.example_project.waits", log=tmp_path / "log", env={}, read=True) as process:
        assert process.stdout.readline() == f"{process.pid}\n"
    assert process.returncode == 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_children_end_with_their_starter_however_it_ends(tmp_path, how):
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, tmp_path / "log"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    child = psutil.Process(int(starter.stdout.readline()))
    starter.send_signal(how)
    starter.wait(30)
    starter.stdout.close()
    gone, _ = psutil.wait_procs([child], timeout=30)
    assert gone == [child]


STREAM = (
    b': a comment\n\nid: 1\nevent: started\ndata: {"attempt": 1}\n\n'
    b'event: token\ndata: {"text": "a"}\n\nevent: final\r\ndata: {"output": {"text": "a"}}\r\n\r\n'
)


@contextmanager
def answering(status: int, content_type: str, body: bytes) -> Iterator[Client]:
    """A client of a server that gives one answer to everything."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Client(server.server_port, "key")
        finally:
            server.shutdown()
            thread.join()


def test_the_client_reads_events_and_leaves_comments_out():
    with answering(200, "text/event-stream; charset=utf-8", STREAM) as client:
        events = [(event.name, event.data) for event in client.stream("/stream/", {"input": {}})]
    assert events == [("started", {"attempt": 1}), ("token", {"text": "a"}), ("final", {"output": {"text": "a"}})]


def test_the_client_takes_no_other_answer_for_a_stream():
    with answering(200, "application/json", b"{}") as client, pytest.raises(DemoError, match="not an event stream"):
        list(client.stream("/stream/", {}))


def test_the_worker_is_killed_after_the_first_piece_of_text(tmp_path):
    said = [
        Event("started", {"attempt": 1}, 0.1),
        Event("token", {"text": "a"}, 0.2),
        Event("token", {"text": "b"}, 0.3),
    ]
    with ExitStack() as stack:

        def start():
            return stack.enter_context(running("tests.example_project.waits", log=tmp_path / "log", env={}))

        worker = start()
        passed = with_a_death(iter(said), worker, start)
        assert [next(passed), next(passed)] == said[:2]
        assert worker.poll() is None
        assert next(passed) == said[2]
        assert worker.returncode == -signal.SIGKILL


def test_an_unexpected_status_is_an_error_that_shows_the_answer():
    shown = pytest.raises(DemoError, match=r'answered 503, not 201:\s+\{"code": "x"\}')
    with answering(503, "application/json", b'{"code": "x"}') as client, shown:
        client.call("POST", "/", {}, expect=201)


def test_what_is_asked_again_and_again_is_printed_once(capsys):
    with answering(200, "application/json", b"{}") as client:
        for is_shown in (True, False, False):
            client.call("POST", "/runs/", {"x": "y" * 1000}, is_shown=is_shown)
    printed = capsys.readouterr().out
    assert printed.count("/runs/") == 1
    assert "yyy…" in printed
    assert len(printed) < 500


def test_a_key_is_not_printed(capsys):
    with answering(201, "application/json", b"{}") as client:
        client.call("POST", "/", {"api_key": "hidden"}, expect=201)
    assert "hidden" not in capsys.readouterr().out
