"""Uploads as bytes: whole or not at all, never longer than they may be, and nothing left of what is refused."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload, TemporaryFileUploadHandler
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.test import APIClient

from automate_api.exceptions import PayloadTooLarge
from automate_api.models import Artifact
from automate_api.v1.uploads import FRAMING, UploadParser
from tests.factories import make_user
from tests.hosts.shop.people import signed_in, with_key

pytestmark = pytest.mark.django_db

LIST = "/api/v1/artifacts/"
B = "----gc0p4Jq0M2Yt08jU534c0p"
FORM = f"multipart/form-data; boundary={B}"
CAP = 5000


def part(content: bytes, name: str = "file", filename: str | None = "a.bin", *headers: bytes) -> bytes:
    """One part of a form, with its delimiter."""
    about = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
    head = b"\r\n".join([f"--{B}".encode(), f"Content-Disposition: {about}".encode(), *headers])
    return head + b"\r\n\r\n" + content + b"\r\n"


END = f"--{B}--\r\n".encode()
WHOLE = part(b"Hello") + END


@pytest.fixture(autouse=True)
def temporary(settings: Settings, tmp_path: Path) -> Path:
    """Where uploads wait, which is empty; all of them wait there."""
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    return tmp_path


@pytest.fixture
def client() -> APIClient:
    return with_key()


@pytest.fixture(autouse=True)
def _nothing_is_left(temporary: Path) -> Iterator[None]:
    """After each test: no temporary file, and a file in the storage for each row."""
    yield
    assert not list(temporary.iterdir())
    stored = [path for path in Path(default_storage.path("")).rglob("*") if path.is_file()]
    assert len(stored) == Artifact.objects.count()


def send(client: APIClient, body: bytes, content_type: str = FORM, **headers: str) -> Any:
    return client.generic("POST", LIST, body, content_type=content_type, headers=headers)


def refused(answer: Any, status: int, code: str) -> None:
    """The upload was refused, and nothing was stored."""
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Artifact.objects.exists()


def content(answer: Any) -> bytes:
    """The bytes that an upload has stored."""
    assert answer.status_code == 201, answer.content
    with Artifact.objects.get(pk=answer.json()["id"]).file.open() as file:
        stored: bytes = file.read()
        return stored


# -- what is one -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [
    WHOLE, WHOLE.removesuffix(b"\r\n"), WHOLE + b"\r\n", WHOLE.removesuffix(b"\r\n") + b" \t\r\n",
    b"\r\n" + WHOLE, part(b"1", "note", None) + WHOLE, WHOLE.replace(b"Content-D", b"CONTENT-d"),
])  # fmt: skip
def test_a_form_is_taken_in_each_of_its_spellings(client: APIClient, body: bytes) -> None:
    assert content(send(client, body)) == b"Hello"


@pytest.mark.parametrize("inside", [
    b"", b"\r\n", b"\r\n\r\n", b"--", b"\r\n--", f"--{B[:-1]}".encode(), f"\r\n--{B[1:]}".encode(), b"\x00" * 100,
    bytes(range(256)), b"-" * 1000, b"\r" * 999, b"\n" * 999, b"\r\n-" * 500, END[2:], END[3:] * 50,
])  # fmt: skip
def test_what_the_bytes_are_makes_no_difference(client: APIClient, inside: bytes) -> None:
    assert content(send(client, part(inside) + END)) == inside


@pytest.mark.parametrize("length", [64 * 1024 + offset for offset in range(-200, 200, 7)])
def test_nor_where_the_delimiter_falls_in_what_is_read_at_once(client: APIClient, length: int) -> None:
    inside = b"x" * (length - len(part(b"")))
    assert content(send(client, part(inside) + END)) == inside


@pytest.mark.parametrize("boundary", ["-", "--", "-" * 40, "a", "=_?", "'()+_,-./:=?", "x" * 70])
def test_any_boundary_will_do(client: APIClient, boundary: str) -> None:
    body = WHOLE.replace(B.encode(), boundary.encode())
    assert content(send(client, body, f'multipart/form-data; boundary="{boundary}"')) == b"Hello"


def test_other_text_may_come_with_it(client: APIClient) -> None:
    body = part("ü€😀".encode(), "Notiz ü", None) + WHOLE
    assert content(send(client, body)) == b"Hello"


# -- what is none ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [*range(1, len(WHOLE) - 2, 9), len(WHOLE) - 4, len(WHOLE) - 3])
@pytest.mark.parametrize("declared", [True, False], ids=["of less than it says", "that says so"])
def test_a_form_that_was_cut_is_refused(client: APIClient, kept: int, declared: bool) -> None:
    """The connection broke, and the client had said how much would come; or a client ends early and says so."""
    length = len(WHOLE) if declared else kept
    sent: Any = {"CONTENT_LENGTH": str(length), "wsgi.input": io.BytesIO(WHOLE[:kept])}
    answer = client.generic("POST", LIST, content_type=FORM, **sent)
    refused(answer, 400, "malformed_request")


def test_of_a_form_that_was_cut_after_one_file_nothing_is_stored(client: APIClient, temporary: Path) -> None:
    body = part(b"x" * 300_000) + part(b"y" * 300_000, "more")
    refused(send(client, body), 400, "malformed_request")


@pytest.mark.parametrize("body", [
    b"Hello", b"{}", END + WHOLE, WHOLE + b"more", WHOLE + WHOLE, part(b"Hello"), b"\x00" * 500,
    part(b"Hello").replace(b"Content-Disposition", b"X") + END,
    part(b"Hello").replace(b' name="file";', b"") + END,
    part(b"Hello").replace(b'"a.bin"', b'"\xff.bin"') + END,
    part(b"Hello", "file", "x" * 2000) + END,
    part(b"\xff", "note", None) + WHOLE, part(b"\xed\xa0\x80", "note", None) + WHOLE,
    part(b"a\x00b", "note", None) + WHOLE, part(b"Hello", "a\x00b") + END, part(b"Hello", "file", "a\x00b") + END,
    part(b"not base64", "file", "a", b"Content-Transfer-Encoding: base64") + END,
    part(f"one\r\n--{B} two".encode()) + END,
])  # fmt: skip
def test_what_is_no_form_is_refused(client: APIClient, body: bytes) -> None:
    refused(send(client, body), 400, "malformed_request")


@pytest.mark.parametrize("content_type", [
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=ü",
    f"multipart/form-data; boundary={'x' * 220}", "multipart/form-data; boundary=other", f'{FORM}"',
])  # fmt: skip
def test_a_boundary_that_is_none_is_refused(client: APIClient, content_type: str) -> None:
    refused(send(client, WHOLE, content_type), 400, "malformed_request")


@pytest.mark.parametrize("content_type", [
    "application/json", "application/x-www-form-urlencoded", "application/octet-stream", "text/plain", "image/png",
    f"multipart/mixed; boundary={B}", f"multipart/*; boundary={B}", "*/*", "x",
])  # fmt: skip
@pytest.mark.parametrize("body", [WHOLE, b"{}"], ids=["form", "JSON"])
def test_everything_else_is_another_media_type(client: APIClient, content_type: str, body: bytes) -> None:
    refused(send(client, body, content_type), 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", [FORM, "application/json", ""])
def test_nothing_is_no_file(client: APIClient, content_type: str) -> None:
    answer = client.generic("POST", LIST, b"", content_type=content_type, CONTENT_LENGTH="0")
    refused(answer, 400, "invalid_input")
    assert answer.json()["errors"][0]["field"] == "file"


@pytest.mark.parametrize(
    "headers", [{"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}]
)
def test_one_without_a_length_is_refused_before_it_is_read(client: APIClient, headers: Any) -> None:
    unread = Unread()
    answer = client.generic("POST", LIST, WHOLE, content_type=FORM, **headers, **{"wsgi.input": unread})
    refused(answer, 411, "malformed_request")


# -- how long it may be ----------------------------------------------------------------------------------------------


class Unread:
    """The body of a request that must not be read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("it was read")

    readline = read


@pytest.fixture
def capped(settings: Settings) -> None:
    settings.AUTOMATE_API_ARTIFACT_MAX_BYTES = CAP


@pytest.mark.usefixtures("capped")
@pytest.mark.parametrize("code", [PayloadTooLarge.code])
def test_what_says_that_it_is_too_long_is_not_read(client: APIClient, code: str) -> None:
    headers = {"CONTENT_LENGTH": str(CAP + FRAMING + 1), "wsgi.input": Unread()}
    refused(client.generic("POST", LIST, b"", content_type=FORM, **headers), 413, code)
    refused(client.generic("POST", LIST, b"", content_type=FORM, HTTP_IDEMPOTENCY_KEY="k", **headers), 413, code)


@pytest.mark.usefixtures("capped")
def test_the_longest_file_is_taken_and_one_byte_more_is_not(client: APIClient) -> None:
    refused(send(client, part(b"x" * (CAP + 1)) + END), 413, "payload_too_large")
    assert content(send(client, part(b"x" * CAP) + END)) == b"x" * CAP


@pytest.mark.usefixtures("capped")
def test_it_is_refused_before_the_rest_of_it_is_read(temporary: Path) -> None:
    """Read as a parser reads it, piece by piece: no more than a piece past the cap."""
    body = Counted(part(b"x" * 1_000_000) + END)
    handled = request_of(body, length=CAP + FRAMING)
    with pytest.raises(PayloadTooLarge):
        UploadParser().parse(body, FORM, {"request": handled})
    assert body.given <= CAP + 2 * 64 * 1024
    assert not list(temporary.iterdir())


class Counted:
    """A body that knows how much of it was read."""

    def __init__(self, body: bytes) -> None:
        self.body, self.given = body, 0

    def read(self, size: int = -1) -> bytes:
        data = self.body[self.given : self.given + size if size >= 0 else None]
        self.given += len(data)
        return data


def request_of(body: Any, length: int) -> Request:
    plain = RequestFactory().generic("POST", LIST, b"", content_type=FORM, CONTENT_LENGTH=str(length))
    return Request(plain)


def test_a_client_that_leaves_is_like_one_that_ends_early() -> None:
    class Leaving(Counted):
        def read(self, size: int = -1) -> bytes:
            data = super().read(100)
            if self.given >= 300:
                raise OSError("gone")
            return data

    with pytest.raises(OSError, match="gone"):
        UploadParser().parse(Leaving(part(b"x" * 900) + END), FORM, {"request": request_of(None, 1100)})


def test_so_many_fields_and_files_as_the_host_admits(client: APIClient, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, settings.DATA_UPLOAD_MAX_NUMBER_FILES = 5, 5
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    refused(send(client, part(b"1", "note", None) * 50 + WHOLE), 413, "payload_too_large")
    refused(send(client, part(b"1", "more") * 50 + WHOLE), 413, "payload_too_large")
    refused(send(client, part(b"1" * 2000, "note", None) + WHOLE), 413, "payload_too_large")
    assert content(send(client, part(b"x" * 5000) + END)) == b"x" * 5000


# -- hosts with handlers and middleware of their own -------------------------------------------------------------------


class Skipping(FileUploadHandler):
    """Wants no file."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        raise SkipFile

    def file_complete(self, file_size: int) -> None:
        return None


class Stopping(Skipping):
    """Stops reading."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        raise StopUpload(connection_reset=True)


class Failing(TemporaryFileUploadHandler):
    """Fails after the first bytes."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        super().receive_data_chunk(raw_data, start)
        raise RuntimeError("disk")


class Counting(TemporaryFileUploadHandler):
    """Notes what it gets."""

    names: list[str] = []

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        self.names.append(file_name)
        super().new_file(field_name, file_name, *args, **kwargs)


@pytest.mark.parametrize("handler", [Skipping, Stopping])
def test_a_handler_that_drops_a_file_makes_the_form_incomplete(
    client: APIClient, settings: Settings, handler: type
) -> None:
    settings.FILE_UPLOAD_HANDLERS = [f"{__name__}.{handler.__name__}", *settings.FILE_UPLOAD_HANDLERS]
    refused(send(client, WHOLE), 400, "malformed_request")


def test_a_handler_that_fails_leaves_nothing(client: APIClient, settings: Settings) -> None:
    settings.FILE_UPLOAD_HANDLERS = [f"{__name__}.Failing"]
    refused(send(client, WHOLE), 500, "internal_error")


def test_the_hosts_handlers_are_used(client: APIClient, settings: Settings) -> None:
    settings.FILE_UPLOAD_HANDLERS = [f"{__name__}.Counting"]
    Counting.names.clear()
    assert content(send(client, WHOLE)) == b"Hello"
    assert Counting.names == ["a.bin"]


def reading_forms(get_response: Any) -> Any:
    """A middleware that reads forms before the view."""
    return lambda request: request.POST is not None and get_response(request)


def reading_bodies(get_response: Any) -> Any:
    """A middleware that reads bodies before the view."""
    return lambda request: request.body is not None and get_response(request)


@pytest.mark.parametrize("middleware", [reading_forms, reading_bodies])
def test_a_middleware_may_have_read_it_before(client: APIClient, settings: Settings, middleware: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.{middleware.__name__}"]
    assert content(send(client, WHOLE)) == b"Hello"
    Artifact.objects.all().delete()
    for path in Path(default_storage.path("")).rglob("*"):
        if path.is_file():
            path.unlink()
    for kept in range(len(WHOLE) - len(END) - 10, len(WHOLE) - len(END), 3):
        refused(
            send(client, WHOLE[:kept]), 400, "invalid_input" if middleware is reading_forms else "malformed_request"
        )
    assert not Artifact.objects.exists()


@pytest.mark.usefixtures("capped")
def test_what_was_read_before_is_no_longer_than_it_may_be_either(client: APIClient, settings: Settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.reading_forms"]
    refused(send(client, part(b"x" * (CAP + 1)) + END), 413, "payload_too_large")


@pytest.mark.usefixtures("capped")
def test_a_session_without_a_token_has_the_same_limits() -> None:
    """The token may stand in the form, so that the form is read to see whether the caller is who it seems."""
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(make_user())
    browser.cookies["csrftoken"] = "x" * 32
    refused(send(browser, part(b"x" * (CAP + 1)) + END), 413, "payload_too_large")
    refused(send(browser, WHOLE[:-9]), 400, "malformed_request")
    refused(send(browser, WHOLE), 403, "permission_denied")


def test_nobody_has_nothing_read() -> None:
    answer = APIClient().generic(
        "POST", LIST, b"", content_type=FORM, **{"wsgi.input": Unread(), "CONTENT_LENGTH": "9"}
    )
    refused(answer, 401, "not_authenticated")
    assert send(signed_in(), WHOLE).status_code == 201


def test_what_the_parser_gives_is_text_and_files() -> None:
    body = part("ü".encode(), "note", None) + part(b"Hello", "file", "ü.txt") + END
    parsed = UploadParser().parse(Counted(body), FORM, {"request": request_of(None, len(body))})
    assert parsed.data.dict() == {"note": "ü"}
    with parsed.files["file"] as file:
        assert (file.name, file.read()) == ("ü.txt", b"Hello")


def test_a_wrong_length_is_a_wrong_length() -> None:
    for length in (len(WHOLE) - 1, len(WHOLE) + 1):
        with pytest.raises(ParseError):
            UploadParser().parse(Counted(WHOLE), FORM, {"request": request_of(None, length)})
