"""Rows without files and files without rows are found, and nothing that is at work is touched."""

import hashlib
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage, default_storage
from pytest_django import Settings

from automate_api.exceptions import NotConfigured, StorageUnavailable
from automate_api.models import Artifact
from automate_api.services import artifact_check
from automate_api.services.artifact_check import Finding, Looked, check_files, check_rows, count_artifacts
from automate_api.services.artifacts import FOLDER, upload_artifact
from tests.factories import make_actor

pytestmark = pytest.mark.django_db

HOUR = 3600


class Unlisted(Storage):
    """Stores nothing, and cannot list it."""


class Ageless(InMemoryStorage):
    """Cannot tell how old a file is."""

    def get_modified_time(self, name: str) -> Any:
        raise NotImplementedError


class Away(FileSystemStorage):
    """Does not answer."""

    def listdir(self, path: str) -> Any:
        raise ConnectionError

    def size(self, name: str) -> int:
        raise ConnectionError

    def exists(self, name: str) -> bool:
        raise ConnectionError


class Keeping(FileSystemStorage):
    """Lets nobody delete."""

    def delete(self, name: str) -> None:
        raise PermissionError


def store_in(settings: Settings, storage: type[Storage]) -> None:
    """Have files stored there."""
    path = f"{__name__}.{storage.__qualname__}"
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": path}}


def upload(content: bytes = b"content") -> Artifact:
    return upload_artifact(io.BytesIO(content), actor=make_actor(), name="a", content_type="text/plain")


def stray(name: str, *, age: float = 2 * HOUR) -> str:
    """A file without a row, so many seconds old."""
    stored: str = default_storage.save(f"{FOLDER}/{name}", ContentFile(b"stray"))
    os.utime(default_storage.path(stored), (time.time() - age,) * 2)
    return stored


def told(looks: Iterator[Looked]) -> dict[str, Finding]:
    """What is found of which file."""
    return {found.file: found.finding for look in looks for found in look.found}


def test_where_all_is_well_nothing_is_found() -> None:
    assert told(check_files()) == {}
    for _ in range(3):
        upload()
    assert told(check_rows(verify=True)) == told(check_files(delete=True)) == {}
    assert count_artifacts() == 3


def test_rows_whose_file_is_missing_or_another_are_found() -> None:
    missing, cut, changed, _whole = (upload(bytes([number]) * 100) for number in range(4))
    default_storage.delete(missing.file.name)
    os.truncate(cut.file.path, 10)
    Path(changed.file.path).write_bytes(b"x" * 100)
    expected = {missing.file.name: Finding.MISSING, cut.file.name: Finding.OTHER_SIZE}
    assert told(check_rows()) == expected
    assert told(check_rows(verify=True)) == expected | {changed.file.name: Finding.OTHER_CONTENT}
    assert [found.artifact for look in check_rows() for found in look.found] == [missing.pk, cut.pk]


def test_a_file_that_cannot_be_read_is_not_called_missing() -> None:
    artifact = upload()
    path = Path(artifact.file.path)
    path.unlink()
    path.symlink_to(path.parent / "nowhere")
    assert told(check_rows()) == {artifact.file.name: Finding.UNREADABLE}


def test_every_row_and_file_is_looked_at_once_in_batches() -> None:
    files = {upload().file.name for _ in range(7)} | {stray(f"2020/0{number}/x") for number in range(1, 4)}
    assert [look.count for look in check_rows(batch=3)] == [3, 3, 1]
    looks = list(check_files(batch=4))
    assert [look.count for look in looks] == [4, 4, 2]
    assert len(files) == 10
    assert set(told(iter(looks))) == {name for name in files if "2020" in name}


def test_files_without_a_row_are_found_and_the_old_ones_deleted() -> None:
    whole, old, young, ahead = upload(), stray("2020/01/old"), stray("young", age=0), stray("ahead", age=-HOUR)
    almost = stray("almost", age=HOUR - 120)
    at_work = dict.fromkeys((young, ahead, almost), Finding.YOUNG)
    assert told(check_files()) == {old: Finding.NO_ROW} | at_work
    assert default_storage.exists(old)
    assert told(check_files(delete=True)) == {old: Finding.DELETED} | at_work
    assert [default_storage.exists(name) for name in (whole.file.name, old, young, ahead, almost)] == [
        *(True, False),
        *(True, True, True),
    ]


def test_nothing_outside_the_folder_is_touched() -> None:
    stored = default_storage.save("automate/another/file", ContentFile(b"x"))
    os.utime(default_storage.path(stored), (0, 0))
    assert told(check_files(delete=True)) == {}
    assert default_storage.exists(stored)


@pytest.mark.parametrize("name", [b"\xff\xfe", b"a\nb\x1b[31m", b"\xf0\x9f\x90\x9f", b"x" * 250, b"' OR 1=1 --"])
def test_files_by_any_name_are_found(name: bytes) -> None:
    stray("x")
    folder = Path(default_storage.path(FOLDER))
    path = folder / os.fsdecode(name)
    path.touch()
    os.utime(path, (0, 0))
    assert set(told(check_files(delete=True)).values()) == {Finding.DELETED}
    assert list(folder.iterdir()) == []


def test_a_dangling_link_is_a_file_without_a_row() -> None:
    folder = Path(default_storage.path(stray("x"))).parent
    (folder / "link").symlink_to(folder / "nowhere")
    assert told(check_files(delete=True))[f"{FOLDER}/link"] == Finding.NO_ROW


def test_a_file_that_cannot_be_deleted_stays_wrong(settings: Settings) -> None:
    store_in(settings, Keeping)
    name = stray("x")
    assert told(check_files(delete=True)) == {name: Finding.NO_ROW}


def test_what_is_deleted_meanwhile_is_not_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = upload()

    def delete_first(name: str) -> bool:
        Artifact.objects.all().delete()
        return False

    default_storage.delete(artifact.file.name)
    monkeypatch.setattr(artifact_check, "_exists", delete_first)
    assert told(check_rows()) == {}


def test_a_file_that_goes_meanwhile_is_not_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    name = stray("x")
    monkeypatch.setattr(artifact_check, "_files", lambda: iter([name, f"{FOLDER}/gone"]))
    assert told(check_files()) == {name: Finding.NO_ROW}


def test_a_storage_that_cannot_list_is_named(settings: Settings) -> None:
    store_in(settings, Unlisted)
    with pytest.raises(NotConfigured, match="cannot list"):
        list(check_files())


def test_a_storage_that_knows_no_times_is_named(settings: Settings) -> None:
    store_in(settings, Ageless)
    default_storage.save(f"{FOLDER}/x", ContentFile(b"x"))
    with pytest.raises(NotConfigured, match="how old"):
        list(check_files())


def test_a_storage_that_does_not_answer_is_not_an_empty_one(settings: Settings) -> None:
    upload()
    store_in(settings, Away)
    for looks in (check_rows(), check_files()):
        with pytest.raises(StorageUnavailable):
            list(looks)


def test_hours_are_told_apart_whatever_the_time_zone_is(settings: Settings) -> None:
    young, old = stray("young", age=HOUR - 120), stray("old", age=HOUR + 120)
    for use_tz in (True, False):
        settings.USE_TZ, settings.TIME_ZONE = use_tz, "Asia/Kolkata"
        assert told(check_files()) == {young: Finding.YOUNG, old: Finding.NO_ROW}


def test_a_number_of_statements_that_does_not_depend_on_the_files(django_assert_num_queries: Any) -> None:
    for number in range(20):
        upload(hashlib.sha256(bytes([number])).digest())
        stray(f"{number:02}/x")
    with django_assert_num_queries(2):
        list(check_rows())
    with django_assert_num_queries(1):
        list(check_files())
