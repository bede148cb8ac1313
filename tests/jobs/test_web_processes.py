"""A web process that is killed in mid-run or mid-stream leaves no execution running past its lease."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers import ROOT, Served, environment, seed, served, until
from tests.upstream import FakeUpstream

pytestmark = pytest.mark.slow

LEASE = 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gunicorn-gthread", "uvicorn"])
def test_what_a_killed_web_process_ran_has_failed_soon(name: str, tmp_path: Path, upstream: FakeUpstream) -> None:
    env = environment(f"sqlite:///{tmp_path}/db.sqlite3", SERVED_PRIVATE_HOSTS=upstream.host, SERVED_LEASE=str(LEASE))
    with served(name, env, seed(env), tmp_path / "server.log") as server:
        clients = begin_all(server, upstream)
        # While the process lives, its leases are renewed.
        assert until(lambda: held_for(tmp_path) > 2 * LEASE)
        reap(env)
        assert statuses(tmp_path) == {"running": 4}
        os.killpg(server.process.pid, signal.SIGKILL)
        killed = time.monotonic()
        assert until(lambda: reap(env) and statuses(tmp_path) == {"failed": 4}, seconds=30)
        print(f"{name}: all ended {time.monotonic() - killed:.1f} s after the kill, lease {LEASE} s")
        for client in clients:
            client.close()


def begin_all(server: Served, upstream: FakeUpstream) -> list[socket.socket]:
    """Two runs and two streams, of which the model server has said something to one each."""
    clients = []
    for model in ("silent", "headonly"):
        endpoint = server.make_endpoint(upstream.url, model, timeout_seconds=600)
        clients.append(post(server, f"/api/v1/endpoints/{endpoint}/run/"))
        clients.append(post(server, f"/api/v1/modal/endpoints/{endpoint}/stream/"))
    assert upstream.until(lambda: len(upstream.requests) == 4)
    return clients


def post(server: Served, path: str) -> socket.socket:
    """Send a request and wait for nothing."""
    body = b'{"input": "Hello"}'
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {server.keys['acme-staff']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    client.sendall(head.encode() + body)
    return client


def reap(env: dict[str, str]) -> bool:
    """One round of the reaper, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "django", "reap_jobs"], env=env, cwd=ROOT, capture_output=True, check=True
    )
    return b"executions ended" in done.stdout


def held_for(folder: Path) -> float:
    """Seconds from the beginning of the last execution to the end of the first lease."""
    with sqlite3.connect(folder / "db.sqlite3") as connection:
        days = "min(julianday(leased_until)) - max(julianday(created_at))"
        [found] = connection.execute(f"SELECT {days} FROM automate_api_execution").fetchone()
    return (found or 0) * 86_400


def statuses(folder: Path) -> dict[str, int]:
    """How many executions there are of each status."""
    with sqlite3.connect(folder / "db.sqlite3") as connection:
        return dict(
            connection.execute("SELECT status, count(*) FROM automate_api_execution GROUP BY status").fetchall()
        )
