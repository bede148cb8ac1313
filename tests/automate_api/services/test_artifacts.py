"""Artifacts: stored whole or not at all, and gone with their rows."""

import asyncio
import hashlib
import io
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from automate_api.engine.capability import RunContext
from automate_api.engine.events import RunEvent
from automate_api.engine.transports import collect
from automate_api.exceptions import InvalidInput, NotFound, PayloadTooLarge, StorageUnavailable
from automate_api.ids import uuid7
from automate_api.models import Actor, Artifact, Execution, Job
from automate_api.services import artifacts
from automate_api.services.artifacts import (
    delete_artifact,
    find_artifact,
    open_artifact,
    prune_artifacts,
    require_artifacts,
    upload_artifact,
)
from automate_api.services.attempts import work_on
from automate_api.services.files import NAMELESS, OCTETS, media_type, safe_name
from automate_api.services.runs import prepare_execution, prepare_run
from tests.factories import make_actor
from tests.jobs.fixtures import Script, asked, write  # noqa: F401 - fixtures
from tests.jobs.making import FINAL, make_job, written_endpoint

pytestmark = pytest.mark.django_db

BYTES = bytes(range(256)) * 5000


class FullStorage(FileSystemStorage):
    """Takes the first bytes, and then the disk is full."""

    def _save(self, name: str, content: Any) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read(1000))
        raise OSError(28, "No space left on device")


class LazyStorage(FileSystemStorage):
    """Stores under another name than it was asked for, reads the start twice, and the rest past what it was given."""

    def _save(self, name: str, content: Any) -> str:
        content.read(10)
        content.seek(0)
        content.read(20)
        content.seek(0)
        kept: str = super()._save(name + ".kept", ContentFile(content.file.read()))
        return kept


def files() -> list[Path]:
    """What is in the storage."""
    root = Path(default_storage.path(""))
    return [path for path in root.rglob("*") if path.is_file()]


def upload(
    content: bytes = BYTES, name: str = "a.bin", content_type: str = "image/png", actor: Actor | None = None
) -> Artifact:
    return upload_artifact(io.BytesIO(content), actor=actor or make_actor(), name=name, content_type=content_type)


@pytest.fixture
def full_disk(settings: Settings) -> None:
    storage = f"{__name__}.FullStorage"
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": storage}}


def test_it_is_hashed_and_measured_while_it_is_stored() -> None:
    artifact = upload()
    assert (artifact.size, artifact.sha256) == (len(BYTES), hashlib.sha256(BYTES).hexdigest())
    assert (artifact.kind, artifact.content_type, artifact.name) == ("image", "image/png", "a.bin")
    with open_artifact(artifact) as file:
        assert file.read() == BYTES


def test_so_it_is_however_the_storage_reads(settings: Settings) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.LazyStorage"}}
    artifact = upload()
    assert artifact.sha256 == hashlib.sha256(BYTES).hexdigest()
    assert artifact.file.name.endswith(".kept")


def test_its_name_in_the_storage_says_nothing() -> None:
    artifact = upload(name="secret plans.html", content_type="text/html")
    stored = Path(artifact.file.name)
    assert not stored.suffix
    assert "secret" not in str(stored)
    assert artifact.pk.hex not in str(stored)


def test_one_that_is_too_long_leaves_nothing(settings: Settings) -> None:
    settings.AUTOMATE_API_ARTIFACT_MAX_BYTES = len(BYTES) - 1
    with pytest.raises(PayloadTooLarge):
        upload()
    assert not files()
    assert not Artifact.objects.exists()


def test_the_longest_there_may_be_is_stored(settings: Settings) -> None:
    settings.AUTOMATE_API_ARTIFACT_MAX_BYTES = len(BYTES)
    assert upload().size == len(BYTES)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_nothing() -> None:
    with pytest.raises(StorageUnavailable):
        upload()
    assert not files()
    assert not Artifact.objects.exists()


def test_a_row_that_cannot_be_stored_takes_its_file_along(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Artifact, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Artifact, "save", fail)
    with pytest.raises(KeyboardInterrupt):
        upload()
    assert not files()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("delete", [delete_artifact, lambda artifact: Artifact.objects.all().delete()])
def test_its_file_goes_with_its_row(delete: Callable[[Artifact], object]) -> None:
    delete(upload())
    assert not files()


@pytest.mark.django_db(transaction=True)
def test_its_file_stays_where_the_deletion_is_taken_back() -> None:
    artifact = upload()
    with transaction.atomic():
        delete_artifact(artifact)
        transaction.set_rollback(True)
    with open_artifact(Artifact.objects.get()) as file:
        assert file.read() == BYTES


def test_a_file_that_is_gone_or_cut_is_not_given_out() -> None:
    artifact = upload()
    os.truncate(artifact.file.path, 10)
    with pytest.raises(StorageUnavailable):
        open_artifact(artifact)
    default_storage.delete(artifact.file.name)
    with pytest.raises(StorageUnavailable):
        open_artifact(artifact)


def test_only_its_owner_and_staff_find_it() -> None:
    owner = make_actor()
    artifact = upload(actor=owner)
    for actor in (owner, make_actor(is_staff=True)):
        assert find_artifact(str(artifact.pk), actor=actor) == artifact
    for actor in (make_actor(), make_actor(is_staff=True, tenant_id="other")):
        with pytest.raises(NotFound):
            find_artifact(str(artifact.pk), actor=actor)
        with pytest.raises(InvalidInput) as caught:
            require_artifacts({"input.audio": [str(artifact.pk)]}, actor=actor)
        assert str(artifact.pk) not in str(caught.value.errors)
    for key in ("", "x", "0" * 33, str(artifact.pk)[:-1]):
        with pytest.raises(NotFound):
            find_artifact(key, actor=owner)


def test_more_may_be_named_than_one_statement_takes() -> None:
    actor = make_actor()
    keys = [str(upload(actor=actor).pk), *(str(uuid7()) for _ in range(40_000))]
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        # As it is built where nobody says otherwise.
        connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)
    try:
        require_artifacts({"input.one": [keys[0]] * 40_000}, actor=actor)
        with pytest.raises(InvalidInput) as caught:
            require_artifacts({"input.one": keys[0], "input.many": keys}, actor=actor)
    finally:
        if connection.vendor == "sqlite":
            connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 250_000)
    assert [error.field for error in caught.value.errors] == ["input.many"]


@pytest.mark.django_db(transaction=True)
def test_an_expired_one_is_gone_at_once_and_pruned_later(settings: Settings) -> None:
    settings.AUTOMATE_API_ARTIFACT_RETENTION = None
    kept = upload()
    assert kept.expires_at is None
    settings.AUTOMATE_API_ARTIFACT_RETENTION = 60
    owner = make_actor()
    expired, fresh = upload(actor=owner), upload()
    Artifact.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=5))
    with pytest.raises(NotFound):
        find_artifact(str(expired.pk), actor=owner)
    assert artifacts.count_expired() == 1
    assert sum(prune_artifacts(batch=1)) == 1
    assert set(Artifact.objects.all()) == {kept, fresh}
    assert len(files()) == 2


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../x", "x"),
        ("C:\\x", "x"),
        ("a\x00b\n\u202egnp.exe", "abgnp.exe"),
        ("..", NAMELESS),
        ("", NAMELESS),
        ("a/", NAMELESS),
        ("x" * 300 + ".png", "x" * 196 + ".png"),
        ("." + "x" * 300, "x" * 200),
        (".env", "env"),
        ("Überblick 2026.pdf", "Überblick 2026.pdf"),
        ("\ud800.txt", "txt"),
    ],
)
def test_names_are_made_safe(given: str, name: str) -> None:
    assert safe_name(given) == name


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("Text/HTML; charset=utf-8", "text/html"),
        ("image/svg+xml", "image/svg+xml"),
        ("", OCTETS),
        ("text", OCTETS),
        ("text/html\r\nX: y", OCTETS),
        ("a/" + "b" * 200, OCTETS),
    ],
)
def test_content_types_are_bare(given: str, clean: str) -> None:
    assert media_type(given) == clean


# -- those of runs ---------------------------------------------------------------------------------------------------


async def pieces(count: int = 3) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(0)
        yield BYTES


@pytest.mark.django_db(transaction=True)
def test_a_run_stores_a_file_piece_by_piece(write: Callable[[Script], None]) -> None:  # noqa: F811
    async def script(ctx: RunContext) -> AsyncIterator[RunEvent]:
        yield await ctx.save_artifact(pieces(), name="out.wav", content_type="audio/wav")

    write(script)
    execution = prepare_execution(written_endpoint(), actor=make_actor(), correlation_id="c", input="x")
    collect(prepare_run(execution))
    artifact = Artifact.objects.get()
    assert artifact.execution == Execution.objects.get()
    assert artifact.user_id == execution.user_id
    assert (artifact.size, artifact.kind) == (3 * len(BYTES), "audio")


@pytest.mark.django_db(transaction=True)
def test_a_run_that_writes_too_much_fails_and_leaves_nothing(
    write: Callable[[Script], None],  # noqa: F811
    settings: Settings,
) -> None:
    settings.AUTOMATE_API_ARTIFACT_MAX_BYTES = len(BYTES) * 2

    async def script(ctx: RunContext) -> AsyncIterator[RunEvent]:
        yield await ctx.save_artifact(pieces(), name="out.wav", content_type="audio/wav")

    write(script)
    execution = prepare_execution(written_endpoint(), actor=make_actor(), correlation_id="c", input="x")
    end = collect(prepare_run(execution))
    assert end.data["code"] == "payload_too_large"
    assert not files()
    assert not Artifact.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_run_reads_what_its_user_may_read(write: Callable[[Script], None]) -> None:  # noqa: F811
    me = make_actor()
    mine, foreign = upload(b"mine", actor=me), upload(b"foreign")
    read: list[object] = []

    async def script(ctx: RunContext) -> AsyncIterator[RunEvent]:
        read.append((await ctx.read_artifact(str(mine.pk), max_bytes=10)).content)
        for key, most in ((str(foreign.pk), 10), ("x", 10), (str(mine.pk), 3)):
            try:
                await ctx.read_artifact(key, max_bytes=most)
            except InvalidInput as exc:
                read.append(exc.errors[0].code)
        yield FINAL

    write(script)
    collect(prepare_run(prepare_execution(written_endpoint(), actor=me, correlation_id="c", input="x")))
    assert read == [b"mine", "does_not_exist", "does_not_exist", "max_length"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("asked")
def test_a_job_that_was_taken_over_stores_no_file(write: Callable[[Script], None]) -> None:  # noqa: F811
    job = make_job_later(write, held=False)
    work_on(job)
    assert not files()
    assert not Artifact.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("asked")
def test_a_file_of_a_job_names_it(write: Callable[[Script], None]) -> None:  # noqa: F811
    job = make_job_later(write, held=True)
    work_on(job)
    assert Artifact.objects.get().job_id == job


def make_job_later(write: Callable[[Script], None], *, held: bool) -> Any:  # noqa: F811
    """The id of a job that writes a file; where it is not held, somebody takes it over just before."""

    async def script(ctx: RunContext) -> AsyncIterator[RunEvent]:
        if not held:
            await ctx.db(lambda: Job.objects.update(token=uuid7()))
        yield await ctx.save_artifact(b"x", name="x", content_type="text/plain")

    write(script)
    return make_job(written_endpoint()).pk
