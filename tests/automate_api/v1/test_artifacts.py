"""The routes of artifacts: uploaded, listed, filtered, read, deleted; nobody else's, and nothing half-written."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from automate_api.ids import uuid7
from automate_api.models import Actor, Artifact
from automate_api.services.artifacts import upload_artifact
from tests.factories import make_endpoint, make_user
from tests.hosts.shop.people import signed_in, with_key
from tests.jobs.making import make_job

pytestmark = pytest.mark.django_db

API, MODAL = "/api/v1", "/api/v1/modal"
LIST = f"{API}/artifacts/"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


class FullStorage(FileSystemStorage):
    """Takes the first bytes, and then the disk is full."""

    def _save(self, name: str, content: Any) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read(10))
        raise OSError(28, "No space left on device")


@pytest.fixture
def user() -> Any:
    return make_user()


@pytest.fixture
def client(user: Any) -> APIClient:
    return with_key(user=user)


def stored_files() -> list[Path]:
    """What is in the storage."""
    return [path for path in Path(default_storage.path("")).rglob("*") if path.is_file()]


def upload(client: APIClient, name: str = "a.png", content: bytes = PNG, content_type: str = "image/png") -> Any:
    """The answer to an upload of this file."""
    return client.post(LIST, {"file": SimpleUploadedFile(name, content, content_type)}, format="multipart")


def make_artifact(user: Any, *, tenant_id: str = "default", content: bytes = PNG, **fields: Any) -> Artifact:
    """An artifact of a user; `fields` are set on its row."""
    given = {"name": "a.png", "content_type": "image/png", **fields}
    actor = Actor(user=user, tenant_id=tenant_id)
    kinds = {"name": given.pop("name"), "content_type": given.pop("content_type")}
    artifact = upload_artifact(ContentFile(content), actor=actor, **kinds)
    Artifact.objects.filter(pk=artifact.pk).update(**given)
    artifact.refresh_from_db()
    return artifact


# -- making one ------------------------------------------------------------------------------------------------------


def test_an_upload_is_stored_and_told(client: APIClient, user: Any) -> None:
    answer = upload(client)
    row = Artifact.objects.get()
    assert answer.status_code == 201
    assert answer["Location"] == f"{LIST}{row.pk}/"
    told = answer.json()
    assert client.get(answer["Location"]).json() == told
    assert told | {
        "id": str(row.pk), "name": "a.png", "kind": "image", "content_type": "image/png", "size": len(PNG),
        "user": user.pk, "job": None, "execution": None,
    } == told  # fmt: skip
    assert told["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert told["created_at"] < told["expires_at"]
    assert set(told) == {
        "id", "name", "kind", "content_type", "size", "sha256", "job", "execution", "user", "created_at", "expires_at",
    }  # fmt: skip
    assert b"".join(client.get(f"{LIST}{row.pk}/download/").streaming_content) == PNG


def test_so_it_is_in_a_session_with_a_token_and_not_without(user: Any) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(user)
    assert upload(browser).status_code == 403
    assert not Artifact.objects.exists()
    browser.cookies["csrftoken"] = token = "x" * 32
    body = {"file": SimpleUploadedFile("a.png", PNG), "csrfmiddlewaretoken": token}
    assert browser.post(LIST, body, format="multipart").status_code == 201
    assert upload(signed_in(user=user)).status_code == 201


@pytest.mark.parametrize(("sent", "kept"), [
    ("../../x", "x"), ("C:\\x", "x"), ("/etc/passwd", "passwd"), ("a/../b.txt", "b.txt"), ("..", "file"), (".", "file"),
    ("...", "file"), ("a\u202egnp.exe", "agnp.exe"), ("\u200f\u2067.png\u2069", "png"), ("n" * 300, "n" * 200),
    ("n" * 300 + ".png", "n" * 196 + ".png"), ("Übung 1.pdf", "Übung 1.pdf"), ("报告.pdf", "报告.pdf"),
    ('say "hi".txt', 'say "hi".txt'), ("a&amp;b.txt", "a&amp;b.txt"), ("%2e%2e%2fx", "%2e%2e%2fx"), ("CON", "CON"),
    ("a sk-0123\u200b456789abcdef.txt", "a [redacted].txt"), ("Bearer 0123456789/abcdef/x", "[redacted]"),
])  # fmt: skip
def test_a_name_is_what_a_file_may_be_called(client: APIClient, sent: str, kept: str) -> None:
    quoted = sent.replace("\\", "\\\\").replace('"', '\\"')
    part = f'Content-Disposition: form-data; name="file"; filename="{quoted}"\r\nContent-Type: text/plain'
    body = b"--b\r\n" + part.encode() + b"\r\n\r\nHello\r\n--b--\r\n"
    answer = client.post(LIST, body, content_type="multipart/form-data; boundary=b")
    assert (answer.status_code, answer.json()["name"]) == (201, kept)
    assert [path.is_relative_to(default_storage.path("automate/artifacts")) for path in stored_files()] == [True]


def test_a_name_with_a_nul_is_refused(client: APIClient) -> None:
    part = b'Content-Disposition: form-data; name="file"; filename="a\x00b.txt"'
    body = b"--b\r\n" + part + b"\r\n\r\nHello\r\n--b--\r\n"
    answer = client.post(LIST, body, content_type="multipart/form-data; boundary=b")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
    assert not stored_files()


@pytest.mark.parametrize(("sent", "kept", "kind"), [
    ("text/html", "text/html", "text"), ("TEXT/HTML; charset=utf-7", "text/html", "text"),
    ("audio/wav", "audio/wav", "audio"), ("application/pdf", "application/pdf", "file"),
    ("image/svg+xml", "image/svg+xml", "image"), ("", "application/octet-stream", "file"),
    ("nonsense", "application/octet-stream", "file"), ("text/<b>", "application/octet-stream", "file"),
    ("x" * 200 + "/y", "application/octet-stream", "file"), ("*/*", "application/octet-stream", "file"),
])  # fmt: skip
def test_the_type_is_what_the_caller_says_where_it_is_one(client: APIClient, sent: str, kept: str, kind: str) -> None:
    answer = upload(client, content_type=sent).json()
    assert (answer["content_type"], answer["kind"]) == (kept, kind)


def test_an_empty_file_is_one(client: APIClient) -> None:
    answer = upload(client, content=b"")
    assert (answer.status_code, answer.json()["size"]) == (201, 0)
    assert answer.json()["sha256"] == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(("body", "field", "code"), [
    ({}, "file", "required"), ({"file": "text"}, "file", "invalid"), ({"other": "text"}, "file", "required"),
    ({"file": [SimpleUploadedFile("a", b"a"), SimpleUploadedFile("b", b"b")]}, "file", "one_file"),
    ({"file": [SimpleUploadedFile("a", b"a"), "text"]}, "file", "one_file"),
    ({"file": SimpleUploadedFile("a", b"a"), "more": SimpleUploadedFile("b", b"b")}, "more", "one_file"),
])  # fmt: skip
def test_anything_but_one_file_is_refused(client: APIClient, body: Any, field: str, code: str) -> None:
    answer = client.post(LIST, body, format="multipart")
    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert not Artifact.objects.exists()
    assert not stored_files()


def test_other_text_is_passed_over(client: APIClient, user: Any) -> None:
    body = {"file": SimpleUploadedFile("a", b"a"), "user": "1", "tenant_id": "globex", "kind": "video", "job": "x"}
    assert client.post(LIST, body, format="multipart").status_code == 201
    row = Artifact.objects.get()
    assert (row.user_id, row.tenant_id, row.kind, row.job_id) == (user.pk, "default", "text", None)


def test_whoever_has_no_tenant_stores_nothing(settings: Settings) -> None:
    settings.AUTOMATE_API_TENANT_RESOLVER = "tests.hosts.shop.people.tenant_of_header"
    assert upload(signed_in()).status_code == 403
    assert not stored_files()


def test_a_full_disk_leaves_nothing(client: APIClient, settings: Settings) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.FullStorage"}}
    answer = upload(client)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert answer["Retry-After"]
    assert not Artifact.objects.exists()
    assert not stored_files()


def test_an_upload_is_stored_once_for_an_idempotency_key(client: APIClient) -> None:
    def send(name: str, content: bytes) -> Any:
        body = {"file": SimpleUploadedFile(name, content)}
        return client.post(LIST, body, format="multipart", headers={"Idempotency-Key": "once"})

    first, again = send("a", b"a"), send("a", b"a")
    assert (again.status_code, again.content, again["Idempotent-Replayed"]) == (201, first.content, "true")
    assert again["Location"] == first["Location"]
    assert len(stored_files()) == 1
    for name, content in (("a", b"b"), ("b", b"a")):
        assert send(name, content).status_code == 422
    assert Artifact.objects.count() == 1


def test_one_that_could_not_be_stored_may_be_sent_again_under_its_key(client: APIClient, settings: Settings) -> None:
    def send() -> Any:
        body = {"file": SimpleUploadedFile("a", b"a")}
        return client.post(LIST, body, format="multipart", headers={"Idempotency-Key": "again"})

    usual = settings.STORAGES
    settings.STORAGES = {**usual, "default": {"BACKEND": f"{__name__}.FullStorage"}}
    assert send().status_code == 503
    settings.STORAGES = usual
    assert send().status_code == 201
    assert len(stored_files()) == 1


# -- looking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tenant_id", "is_staff", "status"), [
    ("default", False, 404), ("globex", True, 404), ("default", True, 200),
])  # fmt: skip
@pytest.mark.parametrize("path", [f"{LIST}{{}}/", f"{LIST}{{}}/download/", f"{MODAL}/artifacts/{{}}/download/"])
def test_others_do_not_see_an_artifact_but_staff_does(
    user: Any, path: str, tenant_id: str, is_staff: bool, status: int
) -> None:
    other = with_key(tenant_id=tenant_id, is_staff=is_staff)
    assert other.get(path.format(make_artifact(user).pk)).status_code == status


@pytest.fixture
def expired(user: Any) -> Artifact:
    return make_artifact(user, expires_at=timezone.now() - timedelta(seconds=1))


def test_one_whose_time_is_over_is_gone(client: APIClient, expired: Artifact) -> None:
    assert client.get(LIST).json()["results"] == []
    for path in (f"{LIST}{expired.pk}/", f"{LIST}{expired.pk}/download/", f"{MODAL}/artifacts/{expired.pk}/download/"):
        assert client.get(path).status_code == 404
    assert client.delete(f"{LIST}{expired.pk}/").status_code == 404


def test_one_that_was_kept_for_ever_stays(client: APIClient, settings: Settings) -> None:
    settings.AUTOMATE_API_ARTIFACT_RETENTION = None
    made = upload(client).json()
    assert made["expires_at"] is None
    assert client.get(f"{LIST}{made['id']}/").status_code == 200


@pytest.mark.parametrize(("query", "expected"), [
    ("kind=image", {"png", "others"}), ("kind=audio", {"wav"}), ("content_type=audio/wav", {"wav"}),
    ("sha256={sha256}", {"wav"}), ("execution={execution}", {"wav"}), ("job={job}", {"wav"}),
    ("user={user}", {"png", "wav"}), ("created_before={now}", {"png", "wav", "others"}), ("created_after={now}", set()),
    ("kind=video", set()), ("content_type=audio", set()), ("sha256=", {"png", "wav", "others"}),
])  # fmt: skip
def test_the_list_is_filtered(user: Any, query: str, expected: set[str]) -> None:
    job = make_job(make_endpoint())
    made = {
        "png": make_artifact(user),
        "others": make_artifact(make_user()),
        "wav": make_artifact(user, content=b"wav", content_type="audio/wav", job=job, execution=job.execution),
    }
    now = timezone.now().isoformat().replace("+00:00", "Z")
    sha256 = made["wav"].sha256
    given = query.format(execution=job.execution_id, job=job.pk, user=user.pk, now=now, sha256=sha256)
    page = with_key(is_staff=True).get(f"{LIST}?{given}").json()
    assert {row["id"] for row in page["results"]} == {str(made[name].pk) for name in expected}


@pytest.mark.parametrize("query", ["kind=movie", "user=x", "job=x", "execution=1", "created_after=now", "name=a"])
def test_a_filter_that_fits_nothing_is_refused(client: APIClient, query: str) -> None:
    assert client.get(f"{LIST}?{query}").status_code == 400


def test_the_list_is_newest_first_and_in_pages(client: APIClient, user: Any) -> None:
    made = [str(make_artifact(user).pk) for _ in range(3)]
    page = client.get(f"{LIST}?page_size=2").json()
    rest = client.get(page["next"]).json()
    assert [row["id"] for row in [*page["results"], *rest["results"]]] == made[::-1]
    oldest = client.get(f"{LIST}?ordering=created_at").json()["results"]
    assert [row["id"] for row in oldest] == made


# -- deleting --------------------------------------------------------------------------------------------------------


def test_its_file_goes_with_it(
    client: APIClient, user: Any, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    artifact = make_artifact(user)
    with django_capture_on_commit_callbacks(execute=True):
        assert client.delete(f"{LIST}{artifact.pk}/").status_code == 204
        assert len(stored_files()) == 1
    assert not stored_files()
    assert not Artifact.objects.exists()
    assert client.delete(f"{LIST}{artifact.pk}/").status_code == 404


def test_staff_deletes_a_members_and_nobody_elses(user: Any) -> None:
    theirs, foreign = make_artifact(user), make_artifact(user, tenant_id="globex")
    staff = with_key(is_staff=True)
    assert staff.delete(f"{LIST}{theirs.pk}/").status_code == 204
    for path in (foreign.pk, uuid7()):
        assert staff.delete(f"{LIST}{path}/").status_code == 404
    assert Artifact.objects.get() == foreign


@pytest.mark.parametrize(("scopes", "statuses"), [
    (["artifacts:read"], (200, 403, 403)), (["artifacts:write"], (403, 201, 204)), (["jobs:read"], (403, 403, 403)),
])  # fmt: skip
def test_a_key_does_what_its_scopes_say(user: Any, scopes: list[str], statuses: tuple[int, ...]) -> None:
    path, key = f"{LIST}{make_artifact(user).pk}/", with_key(user=user, scopes=scopes)
    assert (key.get(path).status_code, upload(key).status_code, key.delete(path).status_code) == statuses


@pytest.mark.parametrize("method", ["put", "patch"])
def test_an_artifact_is_never_changed(client: APIClient, user: Any, method: str) -> None:
    answer = getattr(client, method)(f"{LIST}{make_artifact(user).pk}/", {"name": "b"}, format="json")
    assert answer.status_code == 405


# -- what it costs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 20])
def test_a_list_of_any_length_takes_two_queries(
    client: APIClient, user: Any, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    job = make_job(make_endpoint())
    for _ in range(rows):
        make_artifact(user, job=job, execution=job.execution)
    with django_assert_num_queries(2):
        assert len(client.get(LIST).json()["results"]) == rows


@pytest.mark.parametrize("path", [f"{LIST}{{}}/", f"{LIST}{{}}/download/", f"{MODAL}/artifacts/{{}}/download/"])
def test_one_artifact_takes_two_queries(
    client: APIClient, user: Any, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    artifact = make_artifact(user)
    with django_assert_num_queries(2):
        answer = client.get(path.format(artifact.pk))
        assert answer.status_code == 200
        assert not answer.streaming or b"".join(answer.streaming_content) == PNG


@pytest.fixture
def statements(client: APIClient) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(execute: Any, sql: str, *args: Any) -> Any:
        seen.append(sql.split(maxsplit=1)[0])
        return execute(sql, *args)

    with connection.execute_wrapper(note):
        yield seen


def test_an_upload_takes_one_statement_beside_the_key(client: APIClient, statements: list[str]) -> None:
    assert upload(client).status_code == 201
    assert [word for word in statements if word not in {"SAVEPOINT", "RELEASE"}] == ["SELECT", "INSERT"]
