"""A server that notes what it is asked for, and takes its time."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    key: str
    body: Any


@dataclass
class Recorder:
    """A running one; `asked` is what it was asked for, in order of arrival."""

    url: str
    asked: list[Asked] = field(default_factory=list)

    @property
    def deliveries(self) -> Counter[str]:
        """How often each key has come."""
        return Counter(each.key for each in self.asked)

    @property
    def confused(self) -> list[str]:
        """Keys under which different things were asked for."""
        first: dict[str, Asked] = {}
        return [each.key for each in self.asked if first.setdefault(each.key, each) != each]


@contextmanager
def recording(slowest: float) -> Iterator[Recorder]:
    """A recorder on 127.0.0.1, which answers with the body it got within `slowest` seconds."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            asked = Asked(self.command, self.path, self.headers["Idempotency-Key"], json.loads(sent))
            recorder.asked.append(asked)
            # What is killed meanwhile has had its effect, and does not know.
            time.sleep(random.uniform(0, slowest))
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)
            except OSError:
                self.close_connection = True

        do_POST = do_PUT = answer  # noqa: N815 - as the library calls them

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                return

        def log_message(self, *_args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        recorder = Recorder(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            thread.join()
