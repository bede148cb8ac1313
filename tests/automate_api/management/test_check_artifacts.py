"""`manage.py check_artifacts` says what is wrong, and ends with 1 unless it was mended."""

import io
import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage
from django.core.management import CommandError, call_command
from pytest_django import Settings

from automate_api.models import Artifact
from automate_api.services.artifacts import FOLDER, upload_artifact
from tests.factories import make_actor

pytestmark = pytest.mark.django_db


class Unlisted(Storage):
    """Cannot list what it has."""


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def upload() -> Artifact:
    return upload_artifact(io.BytesIO(b"content"), actor=make_actor(), name="a", content_type="text/plain")


def stray(name: str = "stray", *, modified: float = 0) -> str:
    stored: str = default_storage.save(f"{FOLDER}/{name}", ContentFile(b"stray"))
    os.utime(default_storage.path(stored), (modified, modified))
    return stored


def check(*options: str, stderr: StringIO | None = None) -> tuple[list[str], str]:
    """The lines it prints, and how it fails; empty where it does not."""
    out, failed = StringIO(), ""
    try:
        call_command("check_artifacts", *options, stdout=out, stderr=stderr or StringIO())
    except CommandError as exc:
        failed = str(exc)
    return out.getvalue().splitlines(), failed


def test_where_all_is_well_it_says_so() -> None:
    upload()
    assert check("--verify", "--delete") == (["artifacts: 1 looked at, 0 wrong", "files: 1 looked at, 0 wrong"], "")


def test_an_artifact_without_its_file_is_wrong_and_stays_so() -> None:
    artifact = upload()
    default_storage.delete(artifact.file.name)
    for options in ((), ("--delete",)):
        lines, failed = check(*options)
        assert lines == [
            f"the file is missing: {artifact.file.name} (artifact {artifact.pk})",
            "artifacts: 1 looked at, 1 wrong",
            "files: 0 looked at, 0 wrong",
        ]
        assert failed == "Wrong and not mended: 1."
    assert Artifact.objects.get() == artifact


def test_other_content_of_the_same_size_is_found_by_reading() -> None:
    Path(upload().file.path).write_bytes(b"CONTENT")
    assert check()[1] == ""
    lines, failed = check("--verify")
    assert lines[0].startswith("the file has another content: ")
    assert failed


def test_a_file_without_a_row_is_wrong_until_it_is_deleted() -> None:
    name = stray()
    assert check() == (
        ["artifacts: 0 looked at, 0 wrong", f"a file without a row: {name}", "files: 1 looked at, 1 wrong"],
        "Wrong and not mended: 1.",
    )
    lines, failed = check("--delete")
    assert lines[1:] == [f"a file without a row, deleted: {name}", "files: 1 looked at, 0 wrong"]
    assert not failed
    assert check()[0][-1] == "files: 0 looked at, 0 wrong"


def test_an_upload_at_work_is_told_of_and_not_touched() -> None:
    name = default_storage.save(f"{FOLDER}/young", ContentFile(b"half"))
    lines, failed = check("--delete")
    assert lines[1] == f"a file without a row, which may be an upload at work: {name}"
    assert not failed
    assert default_storage.exists(name)


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    stray("a\x1b[2J\nfiles: 0 looked at")
    lines, _failed = check()
    assert lines[1].endswith(r"a\x1b[2J\nfiles: 0 looked at'")


def test_a_storage_that_cannot_list_its_files_is_an_error(settings: Settings) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.Unlisted"}}
    lines, failed = check()
    assert lines == ["artifacts: 0 looked at, 0 wrong"]
    assert "cannot list its files" in failed


def test_a_terminal_shows_how_far_it_is() -> None:
    upload()
    stray()
    shown = Terminal()
    check(stderr=shown)
    assert "artifacts [" + "#" * 30 + "] 1/1" in shown.getvalue()
    assert "files [" + "#" * 30 + "] 1/1" in shown.getvalue()
