"""Downloads after RFC 9110: in parts, on conditions, and never as a page of this site."""

import asyncio
import hashlib
import io
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from asgiref.sync import ThreadSensitiveContext
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.test import AsyncClient
from django.utils.http import http_date
from pytest_django import Settings
from rest_framework.test import APIClient

from automate_api.engine.storage import THREADS, in_storage_thread
from automate_api.models import Artifact
from automate_api.services.artifacts import SIGNED_URL_SECONDS, open_artifact, signed_url
from automate_api.services.files import attachment
from automate_api.v1.downloads import CHUNK, Download, part_of
from automate_api.v1.errors import RangeNotSatisfiable
from tests.automate_api.v1.test_artifacts import make_artifact
from tests.factories import make_user
from tests.hosts.shop.people import with_key

pytestmark = pytest.mark.django_db

BYTES = b"0123456789"
TAG = f'"{hashlib.sha256(BYTES).hexdigest()}"'
MADE = datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)
BEFORE, THEN, AFTER = (http_date(int(MADE.timestamp()) + seconds) for seconds in (-1, 0, 1))


@pytest.fixture
def user() -> Any:
    return make_user()


@pytest.fixture
def client(user: Any) -> APIClient:
    return with_key(user=user)


@pytest.fixture
def artifact(user: Any) -> Artifact:
    return make_artifact(user, content=BYTES, created_at=MADE)


@pytest.fixture(params=["/api/v1/artifacts/{}/download/", "/api/v1/modal/artifacts/{}/download/"])
def url(request: pytest.FixtureRequest, artifact: Artifact) -> str:
    """Both addresses of the file."""
    path: str = request.param
    return path.format(artifact.pk)


def body(answer: Any) -> bytes:
    """All of an answer."""
    content: bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content


# -- the whole ---------------------------------------------------------------------------------------------------------


def test_the_file_is_sent_with_all_that_keeps_it_from_being_a_page(client: APIClient, url: str) -> None:
    answer = client.get(url, headers={"Accept-Encoding": "gzip"})
    told = {name: answer[name] for name in answer.headers if name != "X-Correlation-ID"}
    assert (answer.status_code, body(answer)) == (200, BYTES)
    assert told | {
        "Content-Type": "image/png", "Content-Length": "10", "Content-Disposition": 'attachment; filename="a.png"',
        "Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache", "ETag": TAG, "Last-Modified": THEN, "Accept-Ranges": "bytes",
        "Content-Encoding": "identity",
    } == told  # fmt: skip


@pytest.mark.parametrize("accept", ["image/webp", "text/html", "application/json", "text/event-stream", "x", "*/*;q=0"])
def test_it_is_of_the_type_that_it_is_whatever_is_accepted(client: APIClient, url: str, accept: str) -> None:
    answer = client.get(url, headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"], body(answer)) == (200, "image/png", BYTES)


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-1"}, {"Range": "bytes=99-"}])
def test_head_tells_the_same_and_ignores_a_range(client: APIClient, url: str, headers: dict[str, str]) -> None:
    got, head = client.get(url), client.head(url, headers=headers)
    passing = {"X-Correlation-ID"}
    assert {*got.headers.items()} ^ {*head.headers.items()} <= {(n, a[n]) for n in passing for a in (got, head)}
    assert (head.status_code, body(head), body(got)) == (200, b"", BYTES)


@pytest.mark.parametrize(("name", "header"), [
    ("a b.png", 'filename="a b.png"'),
    ("ü.png", "filename=\"_.png\"; filename*=UTF-8''%C3%BC.png"),
    ('say "hi"', "filename=\"say _hi_\"; filename*=UTF-8''say%20%22hi%22"),
    ("100%41", "filename=\"100_41\"; filename*=UTF-8''100%2541"),
    ("a\\b", "filename=\"a_b\"; filename*=UTF-8''a%5Cb"),
    ("a\r\nX: 1", "filename=\"a__X: 1\"; filename*=UTF-8''a%0D%0AX%3A%201"),
    ("😀" * 200, None), ("a;b=c", 'filename="a;b=c"'), ("~'()*", "filename=\"~'()*\""),
])  # fmt: skip
def test_the_name_is_one_that_a_browser_understands(name: str, header: str | None) -> None:
    assert header is None or attachment(name) == f"attachment; {header}"
    assert attachment(name).isascii()
    assert attachment(name).isprintable()


def test_an_empty_file_is_sent_too(client: APIClient, user: Any) -> None:
    path = f"/api/v1/artifacts/{make_artifact(user, content=b'').pk}/download/"
    for headers, status in (
        ({}, 200), ({"Range": "bytes=0-0"}, 416), ({"Range": "bytes=-1"}, 200), ({"Range": "bytes=-0"}, 416),
    ):  # fmt: skip
        answer = client.get(path, headers=headers)
        assert answer.status_code == status
        assert status == 416 or (answer["Content-Length"], body(answer)) == ("0", b"")
        assert status == 200 or answer["Content-Range"] == "bytes */0"


# -- parts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wanted", "first", "last"), [
    ("bytes=0-0", 0, 0), ("bytes=0-9", 0, 9), ("bytes=2-5", 2, 5), ("bytes=9-9", 9, 9), ("bytes=0-", 0, 9),
    ("bytes=7-", 7, 9), ("bytes=-1", 9, 9), ("bytes=-3", 7, 9), ("bytes=-10", 0, 9), ("bytes=-11", 0, 9),
    ("bytes=5-10", 5, 9), ("bytes=5-99999999999999999999999", 5, 9), ("bytes=-99999999999999999999999", 0, 9),
    ("Bytes=1-2", 1, 2), ("BYTES=1-2", 1, 2), ("bytes=01-002", 1, 2), ("bytes= 1-2 ", 1, 2), ("bytes=,1-2,,", 1, 2),
    ("bytes=1-" + "9" * 5000, 1, 9),
])  # fmt: skip
def test_a_range_is_answered_with_its_bytes(client: APIClient, url: str, wanted: str, first: int, last: int) -> None:
    answer = client.get(url, headers={"Range": wanted})
    assert (answer.status_code, answer["Content-Range"]) == (206, f"bytes {first}-{last}/10")
    assert (answer["ETag"], answer["Content-Length"]) == (TAG, str(last - first + 1))
    assert body(answer) == BYTES[first : last + 1]


@pytest.mark.parametrize("wanted", [
    "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=1-2-3", "bytes=2-1", "bytes=0-1,3-4",
    "bytes =0-1", "items=0-1", "bytes=+1-2", "bytes=1.0-2", "bytes=٣-٤", "bytes=0x1-2", "0-1",
    "bytes=1 - 2", "bytes:0-1", "bytes=--1", "bytes=0-1;2-3", "bytes=\x00", "none=0-1",
])  # fmt: skip
def test_what_is_no_range_is_passed_over(client: APIClient, url: str, wanted: str) -> None:
    answer = client.get(url, headers={"Range": wanted})
    assert "Content-Range" not in answer.headers
    assert (answer.status_code, body(answer)) == (200, BYTES)


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-", "bytes=-00"])
def test_a_range_past_the_end_is_refused_with_the_size(client: APIClient, url: str, wanted: str) -> None:
    answer = client.get(url, headers={"Range": wanted})
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert (answer["Content-Range"], answer["Content-Type"]) == ("bytes */10", "application/problem+json")


@pytest.mark.parametrize("size", [1, 2, 7])
def test_every_range_there_is_has_the_bytes_that_a_slice_has(size: int) -> None:
    content = BYTES[:size]
    for first in range(size):
        for last in range(first, size + 2):
            part = part_of(f"bytes={first}-{last}", size)
            assert part is not None
            assert content[part.first : part.first + part.length] == content[first : last + 1]
    with pytest.raises(RangeNotSatisfiable):
        part_of(f"bytes={size}-", size)


@pytest.mark.parametrize(("validator", "status"), [
    (TAG, 206), (f" {TAG} ", 206), (f"W/{TAG}", 200), ('"other"', 200), ("*", 200), (THEN, 206), (BEFORE, 200),
    (AFTER, 200), ("yesterday", 200), ("", 200), (TAG[1:-1], 200),
])  # fmt: skip
def test_if_range_asks_for_the_part_of_this_version_or_the_whole(
    client: APIClient, url: str, validator: str, status: int
) -> None:
    answer = client.get(url, headers={"Range": "bytes=0-1", "If-Range": validator})
    assert (answer.status_code, body(answer)) == (status, BYTES[:2] if status == 206 else BYTES)


# -- conditions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("headers", "status"), [
    ({"If-Match": TAG}, 200), ({"If-Match": "*"}, 200), ({"If-Match": f'"a", {TAG}'}, 200),
    ({"If-Match": f"W/{TAG}"}, 412), ({"If-Match": '"a"'}, 412), ({"If-Match": "nonsense"}, 412),
    ({"If-None-Match": TAG}, 304), ({"If-None-Match": "*"}, 304), ({"If-None-Match": f'"a",W/{TAG}'}, 304),
    ({"If-None-Match": '"a"'}, 200), ({"If-None-Match": "nonsense"}, 200), ({"If-None-Match": TAG[1:-1]}, 200),
    ({"If-Modified-Since": BEFORE}, 200), ({"If-Modified-Since": THEN}, 304), ({"If-Modified-Since": AFTER}, 304),
    ({"If-Modified-Since": "yesterday"}, 200), ({"If-Modified-Since": "Sat, 31 Jan 2026 25:00:00 GMT"}, 200),
    ({"If-Unmodified-Since": BEFORE}, 412), ({"If-Unmodified-Since": THEN}, 200),
    ({"If-Unmodified-Since": AFTER}, 200), ({"If-Unmodified-Since": "yesterday"}, 200),
    # What comes first in section 13.2.2 wins.
    ({"If-Match": TAG, "If-Unmodified-Since": BEFORE}, 200),
    ({"If-Match": "nonsense", "If-Unmodified-Since": AFTER}, 412),
    ({"If-Match": '"a"', "If-None-Match": TAG}, 412), ({"If-Match": TAG, "If-None-Match": TAG}, 304),
    ({"If-None-Match": '"a"', "If-Modified-Since": AFTER}, 200),
    ({"If-None-Match": "nonsense", "If-Modified-Since": AFTER}, 200),
    ({"If-Unmodified-Since": BEFORE, "If-None-Match": TAG}, 412),
    ({"If-None-Match": TAG, "Range": "bytes=0-1"}, 304), ({"If-Match": '"a"', "Range": "bytes=99-"}, 412),
    ({"If-Match": TAG, "Range": "bytes=0-1"}, 206), ({"If-None-Match": TAG, "Range": "bytes=99-"}, 304),
    ({"If-Modified-Since": THEN, "Range": "bytes=0-1", "If-Range": TAG}, 304),
])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_conditions_are_met_in_their_order(
    client: APIClient, url: str, headers: dict[str, str], status: int, method: str
) -> None:
    answer = client.generic(method, url, headers=headers)
    assert answer.status_code == (200 if status == 206 and method == "HEAD" else status)
    assert (answer["ETag"], answer["Last-Modified"], answer["Cache-Control"]) == (TAG, THEN, "private, no-cache")
    if status == 304:
        # A server that is told of a length waits for so many bytes, and 0 would not be the file's.
        assert not {"Content-Type", "Content-Length"} & set(answer.headers)
        assert body(answer) == b""
    if status == 412 and method == "GET":
        assert answer.json()["code"] == "precondition_failed"
    body(answer)


def test_what_is_not_sent_is_not_opened(client: APIClient, url: str, artifact: Artifact) -> None:
    Path(artifact.file.path).unlink()
    assert client.get(url, headers={"If-None-Match": TAG}).status_code == 304


# -- storages that fail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("left", [None, b"", BYTES[:9], BYTES + b"!"], ids=["none", "nothing", "less", "more"])
def test_a_file_that_is_not_what_was_stored_is_not_sent(
    client: APIClient, url: str, artifact: Artifact, left: bytes | None, method: str
) -> None:
    path = Path(artifact.file.path)
    path.unlink() if left is None else path.write_bytes(left)
    answer = client.generic(method, url)
    assert answer.status_code == 503
    assert method == "HEAD" or answer.json()["code"] == "storage_unavailable"


def test_a_file_that_ends_while_it_is_sent_breaks_off(client: APIClient, user: Any) -> None:
    artifact = make_artifact(user, content=b"x" * (3 * CHUNK))
    answer: Any = client.get(f"/api/v1/artifacts/{artifact.pk}/download/")
    stream = iter(answer.streaming_content)
    assert len(next(stream)) == CHUNK
    with Path(artifact.file.path).open("r+b") as file:
        file.truncate(CHUNK + 1)
    with pytest.raises(Exception, match="could not be stored"):
        list(stream)
    answer.close()


# -- what is held meanwhile --------------------------------------------------------------------------------------------


class Open:
    """A file that knows what becomes of it."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at, self.closed, self.sizes = content, 0, False, list[int]()

    def seek(self, at: int) -> int:
        self.at = at
        return at

    def read(self, size: int) -> bytes:
        self.sizes.append(size)
        piece = self.content[self.at : self.at + size]
        self.at += len(piece)
        return piece

    def close(self) -> None:
        self.closed = True


def test_it_is_read_piece_by_piece_and_closed() -> None:
    file: Any = Open(b"x" * (2 * CHUNK + 10))
    answer = Download(file, first=5, length=2 * CHUNK + 5, is_async=False)
    pieces = [len(piece) for piece in answer.streaming_content]
    assert (pieces, file.sizes) == ([CHUNK, CHUNK, 5], [CHUNK, CHUNK, 5])
    answer.close()
    assert file.closed


@pytest.mark.parametrize("is_async", [False, True])
def test_it_is_closed_when_the_client_leaves_or_nobody_asks(is_async: bool) -> None:
    left, dropped = Open(BYTES), Open(BYTES)
    answer = Download(left, first=0, length=10, is_async=is_async)  # type: ignore[arg-type]
    answer.close()
    Download(dropped, first=0, length=10, is_async=is_async)  # type: ignore[arg-type]
    assert (left.closed, dropped.closed) == (True, True)


def test_an_asgi_server_gets_it_from_a_loop() -> None:
    file: Any = Open(b"x" * (CHUNK + 10))

    async def ask() -> list[bytes]:
        stream: AsyncIterator[bytes] = Download(file, first=3, length=CHUNK + 1, is_async=True).streaming_content
        return [piece async for piece in stream]

    assert [len(piece) for piece in asyncio.run(ask())] == [CHUNK, 1]


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_while_it_is_sent(client: APIClient, url: str) -> None:
    connection.settings_dict["CONN_MAX_AGE"], kept = 0, connection.settings_dict["CONN_MAX_AGE"]
    try:
        answer: Any = client.get(url)
        stream = iter(answer.streaming_content)
        next(stream)
        assert connection.connection is None
        answer.close()
    finally:
        connection.settings_dict["CONN_MAX_AGE"] = kept


@pytest.mark.django_db(transaction=True)
async def test_both_addresses_answer_under_asgi() -> None:
    def make() -> tuple[Artifact, str]:
        from automate_api.services.api_keys import issue_key  # noqa: PLC0415

        user = make_user()
        _key, text = issue_key(tenant_id="default", user=user, name="k", scopes=["artifacts:read"])
        return make_artifact(user, content=BYTES), text

    artifact, text = await in_storage_thread(make)
    for prefix in ("/api/v1", "/api/v1/modal"):
        headers = {"X-API-Key": text, "Range": "bytes=2-4"}
        answer: Any = await AsyncClient().get(f"{prefix}/artifacts/{artifact.pk}/download/", headers=headers)
        assert (answer.status_code, answer.is_async) == (206, True)
        assert b"".join([piece async for piece in answer.streaming_content]) == BYTES[2:5]


# -- signed addresses --------------------------------------------------------------------------------------------------


class SigningStorage(FileSystemStorage):
    """Has the interface of django-storages' for S3."""

    querystring_auth = True

    def url(self, name: Any, parameters: Any = None, expire: Any = None, http_method: Any = None) -> str:
        query = {**(parameters or {}), "X-Amz-Expires": expire, "X-Amz-Signature": "abc"}
        return f"https://bucket.example/{name}?{urlencode(query)}"


class OtherSigningStorage(FileSystemStorage):
    """Has the interface of django-storages' for Google Cloud."""

    querystring_auth = True

    def url(self, name: Any, parameters: Any = None) -> str:
        return f"https://cloud.example/{name}?{urlencode({**(parameters or {}), 'X-Goog-Signature': 'abc'})}"


class PublicStorage(SigningStorage):
    """Is open to all."""

    querystring_auth = False


class UnsignedStorage(SigningStorage):
    """Says that it signs, and has a domain of its own for which it has no signer."""

    def url(self, name: Any, parameters: Any = None, expire: Any = None, http_method: Any = None) -> str:
        return f"https://cdn.example/{name}?{urlencode(parameters or {})}"


class KeylessStorage(SigningStorage):
    """Has nothing to sign with."""

    def url(self, name: Any, parameters: Any = None, expire: Any = None, http_method: Any = None) -> str:
        raise LookupError("no credentials")


def store_in(settings: Settings, storage: type) -> None:
    """Have files in another storage, where they are already."""
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.{storage.__name__}"}}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_where_the_storage_signs_the_caller_is_sent_there(
    client: APIClient, url: str, artifact: Artifact, settings: Settings, method: str
) -> None:
    store_in(settings, SigningStorage)
    answer = client.generic(method, url, headers={"If-None-Match": TAG, "Range": "bytes=99-"})
    assert (answer.status_code, answer["Cache-Control"], answer.content) == (302, "no-store", b"")
    where = urlsplit(answer["Location"])
    asked = {name: values[0] for name, values in parse_qs(where.query).items()}
    assert (where.netloc, where.path) == ("bucket.example", f"/{artifact.file.name}")
    assert asked == {
        "ResponseContentDisposition": 'attachment; filename="a.png"', "ResponseContentType": "image/png",
        "X-Amz-Expires": str(SIGNED_URL_SECONDS), "X-Amz-Signature": "abc",
    }  # fmt: skip


def test_so_it_is_with_the_other_interface(artifact: Artifact, settings: Settings) -> None:
    store_in(settings, OtherSigningStorage)
    asked = parse_qs(urlsplit(signed_url(artifact) or "").query)
    assert asked["response_disposition"] == ['attachment; filename="a.png"']
    assert (asked["response_type"], asked["expiration"]) == (["image/png"], ["0:05:00"])


@pytest.mark.parametrize("storage", [FileSystemStorage, PublicStorage, UnsignedStorage, KeylessStorage])
def test_an_address_without_a_signature_is_never_told(
    client: APIClient, url: str, artifact: Artifact, settings: Settings, storage: type
) -> None:
    if storage is not FileSystemStorage:
        store_in(settings, storage)
    assert signed_url(artifact) is None
    answer = client.get(url)
    assert (answer.status_code, body(answer)) == (200, BYTES)


def test_a_file_is_opened_whole_or_not_at_all(artifact: Artifact) -> None:
    with open_artifact(artifact) as file:
        assert file.read() == BYTES


class HangingFile(io.BytesIO):
    """One whose storage does not answer until it is told to."""

    def __init__(self, answers: threading.Event) -> None:
        super().__init__(BYTES)
        self._answers, self.is_asked = answers, False

    def read(self, size: int | None = -1, /) -> bytes:
        self.is_asked = True
        self._answers.wait()
        return super().read(size)


async def test_files_that_hang_keep_no_run_waiting() -> None:
    answers = threading.Event()

    async def all_of(answer: Download) -> bytes:
        return b"".join([piece async for piece in cast("AsyncIterator[bytes]", answer.streaming_content)])

    async with ThreadSensitiveContext():
        files = [HangingFile(answers) for _ in range(THREADS + 1)]
        answers_to = [Download(file, first=0, length=10, is_async=True) for file in files]
        sending = asyncio.gather(*map(all_of, answers_to))
        try:
            async with asyncio.timeout(20):
                while not any(file.is_asked for file in files):
                    await asyncio.sleep(0.01)
                assert [await in_storage_thread(int) for _ in range(THREADS * 2)] == [0] * THREADS * 2
        finally:
            answers.set()
            assert await sending == [BYTES] * (THREADS + 1)
            for answer in answers_to:
                answer.close()
