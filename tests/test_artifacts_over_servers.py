"""Files over real sockets, to and from real servers: cut off, in chunks, in ranges, large, and while a server dies.

`AUTOMATE_TEST_ARTIFACT_MB` is the size of the large one; 64 unless it is set.
"""

import contextlib
import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests.servers import ROOT, SERVERS, Served, environment, seed, served, until

pytestmark = pytest.mark.slow

MB = 2**20
LARGE = int(os.environ.get("AUTOMATE_TEST_ARTIFACT_MB") or 64)
#: What a server's memory may grow by, however large a file is.
GROWTH = 48 * MB
LEAVERS = 70

BLOCK = bytes(range(256)) * 4096
BOUNDARY = "a-boundary-that-is-in-no-file"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="file.bin"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def content(size: int, *, which: int = 0) -> Iterator[bytes]:
    """`size` bytes, of which no megabyte is like another."""
    for number in range(-(-size // MB)):
        block = (number + 1000 * which).to_bytes(8, "big") + BLOCK[8:]
        yield block[: size - number * MB]


def digest(size: int, *, which: int = 0) -> str:
    """The SHA-256 of that."""
    hashed = hashlib.sha256()
    for block in content(size, which=which):
        hashed.update(block)
    return hashed.hexdigest()


def form(size: int, *, which: int = 0) -> Iterator[bytes]:
    """A form with such a file."""
    yield HEAD
    yield from content(size, which=which)
    yield TAIL


@dataclass
class Site:
    """A server, and where its files are."""

    server: Served
    env: dict[str, str]
    folder: Path

    @property
    def stored(self) -> list[Path]:
        """The files in the storage."""
        return [path for path in (self.folder / "media").rglob("*") if path.is_file()]

    @property
    def processes(self) -> list[psutil.Process]:
        """The server's."""
        parent = psutil.Process(self.server.process.pid)
        return [parent, *parent.children(recursive=True)]

    @property
    def opened(self) -> list[str]:
        """What the server's processes have open of stored and of incoming files, deleted ones too."""
        found = []
        for process in self.processes:
            for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    found.append(str(descriptor.readlink()))
        kept = tuple(str(self.folder / name) for name in ("media", "uploads"))
        # gunicorn's workers have a file by which its master sees that they live.
        return [name for name in found if name.startswith(kept) and "/wgunicorn-" not in name]

    @property
    def incoming(self) -> list[Path]:
        """Temporary files of uploads."""
        return list((self.folder / "uploads").iterdir())

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.server.keys['acme-member']}"}

    def upload(self, size: int, *, which: int = 0) -> dict[str, Any]:
        """Store a file; the artifact."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        length = {"Content-Length": str(len(HEAD) + size + len(TAIL))}
        connection.request("POST", "/api/v1/artifacts/", form(size, which=which), {**self.headers, **FORM, **length})
        answer = connection.getresponse()
        artifact: dict[str, Any] = json.loads(answer.read())
        connection.close()
        assert answer.status == 201, artifact
        return artifact

    def begin_upload(self, size: int, sent: int) -> socket.socket:
        """Announce a file, and send so much of it."""
        return self.send_raw(f"Content-Length: {len(HEAD) + size + len(TAIL)}\r\n", b"".join(form(size))[:sent])

    def send_raw(self, headers: str, body: bytes) -> socket.socket:
        """Send the head of an upload and so much of a body."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**self.headers, **FORM}.items())
        client = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
        client.sendall(f"POST /api/v1/artifacts/ HTTP/1.1\r\nHost: x\r\n{lines}{headers}\r\n".encode())
        with contextlib.suppress(ConnectionError):
            # Who refuses a body need not read it.
            client.sendall(body)
        return client

    def download(self, artifact: dict[str, Any], **headers: str) -> tuple[http.client.HTTPResponse, str]:
        """Read a file, or a part of it, to its end; the answer and the SHA-256 of what came."""
        hashed, answer = hashlib.sha256(), self.begin_download(artifact, **headers)
        while piece := answer.read(MB):
            hashed.update(piece)
        return answer, hashed.hexdigest()

    def begin_download(self, artifact: dict[str, Any], **headers: str) -> http.client.HTTPResponse:
        """Read the head alone. Closing the answer closes the connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        sent = {**self.headers, "Connection": "close", **headers}
        connection.request("GET", f"/api/v1/artifacts/{artifact['id']}/download/", headers=sent)
        return connection.getresponse()

    def call(self, method: str, path: str) -> tuple[int, Any]:
        return self.server.call(method, path, who="acme-member")

    def artifacts(self) -> list[dict[str, Any]]:
        """All there are."""
        rows: list[dict[str, Any]] = self.call("GET", "/api/v1/artifacts/?page_size=200")[1]["results"]
        return rows

    def check(self, *options: str) -> tuple[int, str]:
        """`manage.py check_artifacts`: how it ends, and what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "django", "check_artifacts", *options],
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def empty(self) -> None:
        """Delete all artifacts."""
        for artifact in self.artifacts():
            assert self.call("DELETE", f"/api/v1/artifacts/{artifact['id']}/")[0] == 204
        assert self.stored == []


def site_environment(folder: Path, database_url: str | None = None, **extra: str) -> dict[str, str]:
    """The environment of a server whose files are in this folder."""
    (folder / "uploads").mkdir()
    return environment(
        database_url or f"sqlite:///{folder}/db.sqlite3",
        AUTOMATE_TEST_MEDIA_ROOT=str(folder / "media"),
        SERVED_UPLOADS=str(folder / "uploads"),
        # Under ASGI Django keeps a body here until all of it has come.
        TMPDIR=str(folder / "uploads"),
        SERVED_ARTIFACT_MAX_BYTES=str(2 * 1024 * MB),
        **extra,
    )


@contextlib.contextmanager
def running(name: str, folder: Path, env: dict[str, str], keys: dict[str, str]) -> Iterator[Site]:
    with served(name, env, keys, folder / "server.log") as server:
        yield Site(server, env, folder)


@pytest.fixture(scope="module", params=sorted(SERVERS))
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp(request.param)
    env = site_environment(folder)
    with running(request.param, folder, env, seed(env)) as site:
        yield site


@pytest.fixture
def site(started: Site) -> Iterator[Site]:
    """A server without artifacts, which leaves none behind and nothing open."""
    yield started
    started.empty()
    assert until(lambda: not started.opened), started.opened
    assert started.incoming == []


@pytest.mark.parametrize("share", [0.5, 0.98])
def test_an_upload_that_is_cut_off_leaves_nothing(site: Site, share: float) -> None:
    size = 8 * MB
    with site.begin_upload(size, int(size * share)):
        assert until(lambda: site.opened or site.incoming), "The server has not begun to read."
    assert until(lambda: not site.opened and not site.incoming), (site.opened, site.incoming)
    assert site.artifacts() == site.stored == []
    assert site.upload(size)["sha256"] == digest(size)


def test_an_upload_without_its_end_is_refused_while_its_sender_listens(site: Site) -> None:
    """All bytes that were announced, but not the last delimiter."""
    body = b"".join(form(3 * MB))[: -len(TAIL)]
    with site.send_raw(f"Content-Length: {len(body)}\r\n", body) as client:
        status = client.makefile("rb").readline()
    assert b" 400 " in status
    assert site.artifacts() == site.stored == []


def chunked(body: bytes, size: int = 60_000) -> bytes:
    """`body` as `Transfer-Encoding: chunked` has it, without the last chunk."""
    pieces = (body[place : place + size] for place in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


def test_chunks_of_unknown_number_are_stored_whole_or_refused(site: Site) -> None:
    body = chunked(b"".join(form(3 * MB)))
    with site.send_raw("Transfer-Encoding: chunked\r\n", body + b"0\r\n\r\n") as client:
        status = int(client.makefile("rb").readline().split()[1])
    assert status in {201, 411}
    assert [row["sha256"] for row in site.artifacts()] == [digest(3 * MB)] * (status == 201)
    site.empty()
    site.send_raw("Transfer-Encoding: chunked\r\n", body[: len(body) // 2]).close()
    site.send_raw("Transfer-Encoding: chunked\r\n", body).close()
    assert site.upload(MB)["size"] == MB
    assert until(lambda: not site.opened and not site.incoming), (site.opened, site.incoming)
    assert [row["size"] for row in site.artifacts()] == [MB]


@pytest.mark.parametrize("share", [0.5, 1, 1.5])
def test_a_length_beside_chunks_is_not_believed(site: Site, share: float) -> None:
    """It is whole, or refused, whichever of the two a server goes by (RFC 9112, section 6.3)."""
    body = b"".join(form(3 * MB))
    headers = f"Content-Length: {int(len(body) * share)}\r\nTransfer-Encoding: chunked\r\n"
    # Who refuses it may hang up before all of it is sent.
    with site.send_raw(headers, chunked(body) + b"0\r\n\r\n") as client, contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_WR)
        while client.recv(MB):
            pass
    assert [row["sha256"] for row in site.artifacts()] in ([], [digest(3 * MB)])
    assert share == 1 or site.stored == []


def test_clients_that_leave_in_the_middle_of_a_download_leave_nothing_open(site: Site) -> None:
    artifact = site.upload(32 * MB)
    for _ in range(LEAVERS):
        answer = site.begin_download(artifact)
        assert len(answer.read(1000)) == 1000
        answer.close()
    assert until(lambda: not site.opened), site.opened
    assert site.download(artifact)[1] == artifact["sha256"]


def test_a_file_is_fetched_range_by_range(site: Site) -> None:
    size = 5 * MB + 12_345
    artifact, hashed, place = site.upload(size), hashlib.sha256(), 0
    whole = site.begin_download(artifact)
    tag = whole.headers["ETag"]
    whole.close()
    while place < size:
        # The client loses its connection somewhere, and goes on where it was.
        answer = site.begin_download(artifact, **{"Range": f"bytes={place}-", "If-Range": tag})
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes {place}-{size - 1}/{size}"
        piece = answer.read(777_777)
        answer.close()
        hashed.update(piece)
        place += len(piece)
    assert (place, hashed.hexdigest()) == (size, digest(size))
    last, _hash = site.download(artifact, Range=f"bytes=-{size + 1}")
    assert (last.status, last.headers["Content-Length"]) == (206, str(size))
    assert site.download(artifact, Range=f"bytes={size}-")[0].status == 416


def test_a_download_goes_on_while_its_artifact_is_deleted(site: Site) -> None:
    artifact, hashed = site.upload(32 * MB), hashlib.sha256()
    answer = site.begin_download(artifact)
    hashed.update(answer.read(MB))
    assert site.call("DELETE", f"/api/v1/artifacts/{artifact['id']}/")[0] == 204
    while piece := answer.read(MB):
        hashed.update(piece)
    assert hashed.hexdigest() == artifact["sha256"]
    assert site.begin_download(artifact).status == 404


def test_uploads_and_deletions_at_once_keep_rows_and_files_together(site: Site) -> None:
    sizes = [3 * MB + number for number in range(12)]

    def upload(number: int) -> dict[str, Any]:
        return site.upload(sizes[number], which=number)

    def remove(artifact: dict[str, Any]) -> int:
        return site.call("DELETE", f"/api/v1/artifacts/{artifact['id']}/")[0]

    with ThreadPoolExecutor(3) as pool:
        uploads = [pool.submit(upload, number) for number in range(6)]
        # Each is deleted twice while others are stored.
        removals = [[pool.submit(remove, one.result()) for _ in range(2)] for one in uploads[:3]]
        uploads += [pool.submit(upload, number) for number in range(6, 12)]
        answered = [sorted(removal.result() for removal in pair) for pair in removals]
        stored = [one.result() for one in uploads]
    assert all(statuses in ([204, 204], [204, 404]) for statuses in answered)
    kept = {row["id"]: row["sha256"] for row in site.artifacts()}
    assert kept == {row["id"]: digest(sizes[3 + place], which=3 + place) for place, row in enumerate(stored[3:])}
    assert len(site.stored) == len(kept) == 9
    assert all(site.download(row)[1] == row["sha256"] for row in stored[3:])
    status, told = site.check("--verify")
    assert (status, told) == (0, "artifacts: 9 looked at, 0 wrong\nfiles: 9 looked at, 0 wrong\n")


def peak(site: Site) -> int:
    """The most memory that the server's processes have had, together, since `forget_peak`."""
    most = 0
    for process in site.processes:
        status = Path(f"/proc/{process.pid}/status").read_text()
        most += int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return most


def forget_peak(site: Site) -> None:
    for process in site.processes:
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def test_a_large_file_takes_no_more_memory_than_a_small_one(site: Site, record_property: Any) -> None:
    size, grown = LARGE * MB, {}
    small = site.upload(4 * MB)
    assert site.download(small)[1] == small["sha256"]
    expected = digest(size)
    forget_peak(site)
    before = peak(site)
    artifact = site.upload(size)
    grown["up"] = peak(site) - before
    assert (artifact["size"], artifact["sha256"]) == (size, expected)
    forget_peak(site)
    assert site.download(artifact)[1] == expected
    grown["down"] = peak(site) - before
    for way, more in grown.items():
        record_property(f"MB of memory for {LARGE} MB {way}", round(more / MB, 1))
    print(
        f"{LARGE} MB with a peak of {before / MB:.1f} MB before: "
        + str({k: f"{v / MB:+.1f}" for k, v in grown.items()})
    )
    assert max(grown.values()) < GROWTH


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_a_server_killed_between_file_and_row_leaves_a_file_that_is_found(name: str, tmp_path: Path) -> None:
    hold_up = tmp_path / "hold-up"
    hold_up.touch()
    env = site_environment(tmp_path, SERVED_HOLD_UP=str(hold_up))
    keys = seed(env)
    with running(name, tmp_path, env, keys) as site, site.begin_upload(4 * MB, 5 * MB):
        # The file is whole in the storage, and the storage does not return.
        assert until(lambda: [path.stat().st_size for path in site.stored] == [4 * MB])
        os.killpg(site.server.process.pid, signal.SIGKILL)
        site.server.process.wait()
    hold_up.unlink()
    with running(name, tmp_path, env, keys) as site:
        assert site.artifacts() == []
        (left,) = site.stored
        name_there = left.relative_to(tmp_path / "media")
        status, told = site.check("--delete")
        assert status == 0
        assert f"a file without a row, which may be an upload at work: {name_there}\n" in told
        assert site.stored == [left]
        os.utime(left, (0, 0))
        status, told = site.check()
        assert status == 1
        assert f"a file without a row: {name_there}\n" in told
        assert site.check("--delete")[0] == 0
        assert site.stored == []
        assert site.check()[0] == 0


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_a_server_killed_while_it_reads_stores_nothing(name: str, tmp_path: Path) -> None:
    env = site_environment(tmp_path)
    keys = seed(env)
    with running(name, tmp_path, env, keys) as site, site.begin_upload(8 * MB, 4 * MB):
        assert until(lambda: site.opened or site.incoming)
        os.killpg(site.server.process.pid, signal.SIGKILL)
        site.server.process.wait()
    with running(name, tmp_path, env, keys) as site:
        assert site.artifacts() == site.stored == []
        assert site.check()[0] == 0
        assert site.upload(MB)["size"] == MB


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_a_download_that_waits_for_its_client_holds_no_database_connection(
    name: str, tmp_path: Path, postgres_url: str
) -> None:
    env = site_environment(tmp_path, postgres_url)
    with running(name, tmp_path, env, seed(env)) as site:
        artifact = site.upload(32 * MB)
        # They read the head, and then nothing.
        waiting = [site.begin_download(artifact) for _ in range(20)]
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            query = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert until(lambda: (connection.execute(query).fetchone() or [99])[0] == 0)
            assert len(site.opened) == len(waiting)
            for answer in waiting:
                answer.close()
            assert until(lambda: not site.opened), site.opened
            assert until(lambda: (connection.execute(query).fetchone() or [99])[0] == 0)
        assert site.download(artifact)[1] == artifact["sha256"]
