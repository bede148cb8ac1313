"""Archives of prompt logs over real sockets: failures on the way, clients that leave, connections."""

import http.client
import shutil
import socket
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import psycopg
import pytest

from tests.servers import ROOT, Served, environment, seed, served, until

pytestmark = pytest.mark.slow

SERVERS = ["gunicorn-gthread", "uvicorn"]
COUNT = 1000

# More than the buffers between two processes hold, so that a server waits for whoever does not read.
FILL = f"""
import django
django.setup()
from tests.prompt_logs import make_prompt_logs
make_prompt_logs({COUNT}, size=40_000, tenant_id="acme")
"""


@dataclass
class Filled:
    """A database with logs, and the keys to read them."""

    keys: dict[str, str]
    file: Path


def fill(url: str) -> dict[str, str]:
    env = environment(url)
    keys = seed(env)
    subprocess.run([sys.executable, "-c", FILL], env=env, cwd=ROOT, check=True)
    return keys


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    file = tmp_path_factory.mktemp("filled") / "db.sqlite3"
    return Filled(fill(f"sqlite:///{file}"), file)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, filled: Filled, tmp_path: Path) -> Iterator[Served]:
    file = shutil.copy(filled.file, tmp_path / "db.sqlite3")
    with served(request.param, environment(f"sqlite:///{file}"), filled.keys, tmp_path / "server.log") as running:
        yield running


@contextmanager
def ask(server: Served, *, method: str = "GET") -> Iterator[http.client.HTTPResponse]:
    """The answer's head; of the rest only a little comes before it is read."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with closing(connection), socket.socket() as connection.sock:
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        connection.sock.settimeout(60)
        connection.sock.connect(("127.0.0.1", server.port))
        headers = {"Authorization": f"Bearer {server.keys['acme-staff']}"}
        connection.request(method, "/api/v1/prompt-logs/download/?prefix=log-", headers=headers)
        answer = connection.getresponse()
        with closing(answer):
            assert answer.status == 200
            yield answer


def archives(server: Served) -> int:
    count: int = server.call("GET", "/archives/")[1]["count"]
    return count


def require_whole(data: bytes) -> None:
    with zipfile.ZipFile(BytesIO(data)) as opened:
        assert opened.testzip() is None
        assert len(opened.namelist()) == 2 * COUNT


def test_it_comes_whole_and_leaves_nothing(server: Served) -> None:
    with ask(server) as answer:
        require_whole(answer.read())
    assert until(lambda: archives(server) == 0)
    with ask(server, method="HEAD") as answer:
        assert answer.read() == b""


def test_a_database_that_fails_on_the_way_ends_the_connection_and_leaves_no_zip_file(
    server: Served, tmp_path: Path
) -> None:
    with ask(server) as answer:
        begin = answer.read(100_000)
        with closing(sqlite3.connect(tmp_path / "db.sqlite3", timeout=30)) as database:
            database.execute("DROP TABLE automate_api_promptlog")
        with pytest.raises((http.client.IncompleteRead, ConnectionError)) as caught:
            answer.read()
    rest = caught.value.partial if isinstance(caught.value, http.client.IncompleteRead) else b""
    assert begin.startswith(b"PK")
    assert not zipfile.is_zipfile(BytesIO(begin + rest))
    assert b"no such table" in server.log.read_bytes()
    assert until(lambda: archives(server) == 0)


def test_clients_that_leave_have_their_archives_ended(server: Served) -> None:
    with ExitStack() as clients:
        answers = [clients.enter_context(ask(server)) for _ in range(12)]
        for answer in answers:
            assert answer.read(4).startswith(b"PK")
        assert archives(server) == 12
    assert until(lambda: archives(server) == 0)


def test_whoever_reads_slowly_holds_no_database_connection(postgres_url: str, tmp_path: Path) -> None:
    keys, name = fill(postgres_url), postgres_url.rpartition("/")[2]
    with psycopg.connect(postgres_url.replace(name, "postgres"), autocommit=True) as watcher:

        def connections() -> int:
            row = watcher.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [name]).fetchone()
            return int(row[0]) if row else -1

        for server in SERVERS:
            with ExitStack() as stack:
                running = stack.enter_context(served(server, environment(postgres_url), keys, tmp_path / "server.log"))
                first, *_others = [stack.enter_context(ask(running)) for _ in range(6)]
                assert until(lambda: connections() == 0), server
                require_whole(first.read())
