"""Whether each artifact has its file, and each file its artifact: a process may have died between the two."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import islice
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import router
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from automate_api.exceptions import NotConfigured, StorageUnavailable
from automate_api.models import Artifact
from automate_api.services.artifacts import FOLDER

logger = logging.getLogger(__name__)

#: A file without a row that is younger may be an upload at work: the row is made after the last byte.
AT_WORK = timedelta(hours=1)

_CHUNK = 2**20


class Finding(StrEnum):
    """What may be found; the value is how it is told."""

    MISSING = "the file is missing"
    OTHER_SIZE = "the file has another size"
    OTHER_CONTENT = "the file has another content"
    UNREADABLE = "the file cannot be read"
    NO_ROW = "a file without a row"
    YOUNG = "a file without a row, which may be an upload at work"
    DELETED = "a file without a row, deleted"

    @property
    def is_wrong(self) -> bool:
        """Whether somebody has to do something about it."""
        return self not in {Finding.YOUNG, Finding.DELETED}


@dataclass(frozen=True, slots=True)
class Found:
    """One finding: the file by its name in the storage, and the artifact whose it is."""

    finding: Finding
    file: str
    artifact: UUID | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """How many were looked at in one go, and what was found."""

    count: int
    found: tuple[Found, ...]


def count_artifacts() -> int:
    """How many artifacts there are."""
    return int(_rows().count())


def check_rows(*, verify: bool = False, batch: int = 200) -> Iterator[Looked]:
    """Look for the file of each artifact, batch by batch; with `verify` read it, and compare its SHA-256.

    Raises:
        StorageUnavailable: the storage does not answer.
    """
    last = None
    while chosen := list(_after(last).values_list("pk", "file", "size", "sha256")[:batch]):
        found = [
            Found(finding, name, key)
            for key, name, size, sha256 in chosen
            if (finding := _of_row(name, size, sha256 if verify else None)) is not None
        ]
        yield Looked(len(chosen), tuple(_still(found)))
        last = chosen[-1][0]


def check_files(*, delete: bool = False, batch: int = 200) -> Iterator[Looked]:
    """Look for the row of each file, batch by batch; with `delete` files without one go, unless they are too young.

    In memory is never more than the names in one of the storage's folders.

    Raises:
        NotConfigured: the storage cannot list its files, or not tell how old they are.
        StorageUnavailable: the storage does not answer.
    """
    files = _files()
    while names := list(islice(files, batch)):
        looked_for = [name for name in names if _could_be_a_name(name)]
        having = set(_rows().filter(file__in=looked_for).values_list("file", flat=True))
        strays = (_of_stray(name, delete=delete) for name in names if name not in having)
        yield Looked(len(names), tuple(found for found in strays if found is not None))


def _rows() -> Any:
    """All artifacts, from where they are written: a replica may not have them yet."""
    return Artifact.objects.using(router.db_for_write(Artifact))


def _after(last: UUID | None) -> Any:
    rows = _rows().order_by("pk")
    return rows if last is None else rows.filter(pk__gt=last)


def _of_row(name: str, size: int, sha256: str | None) -> Finding | None:
    try:
        if default_storage.size(name) != size:
            return Finding.OTHER_SIZE
        if sha256 is not None and _sha256(name) != sha256:
            return Finding.OTHER_CONTENT
    except Exception as exc:  # noqa: BLE001 - storages raise anything
        logger.info("The file %s cannot be read: %s", name, type(exc).__name__)
        return Finding.UNREADABLE if _exists(name) else Finding.MISSING
    return None


def _sha256(name: str) -> str:
    digest = hashlib.sha256()
    with default_storage.open(name, "rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _still(found: list[Found]) -> list[Found]:
    """Without those of artifacts that have been deleted meanwhile."""
    if not found:
        return []
    kept = set(_rows().filter(pk__in=[one.artifact for one in found]).values_list("pk", flat=True))
    return [one for one in found if one.artifact in kept]


def _of_stray(name: str, *, delete: bool) -> Found | None:
    """What is said of a file without a row; None where it has gone meanwhile."""
    try:
        age = timezone.now() - default_storage.get_modified_time(name)
    except NotImplementedError as exc:
        raise NotConfigured(_("The storage cannot tell how old its files are.")) from exc
    except Exception as exc:  # noqa: BLE001 - as above
        logger.info("How old the file %s is cannot be told: %s", name, type(exc).__name__)
        return Found(Finding.NO_ROW, name) if _exists(name) else None
    if age < AT_WORK:
        return Found(Finding.YOUNG, name)
    return Found(Finding.DELETED if delete and _deleted(name) else Finding.NO_ROW, name)


def _deleted(name: str) -> bool:
    try:
        default_storage.delete(name)
    except Exception as exc:  # noqa: BLE001 - as above
        logger.error("The file %s could not be deleted: %s", name, type(exc).__name__)
        return False
    return True


def _files() -> Iterator[str]:
    """The names of all files below the artifacts' folder."""
    folders = [FOLDER]
    while folders:
        folder = folders.pop()
        below, names = _listed(folder)
        folders += [f"{folder}/{name}" for name in below if name]
        # Object storages may list the folder itself, by no name.
        yield from (f"{folder}/{name}" for name in names if name)


def _listed(folder: str) -> tuple[list[str], list[str]]:
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []
    except NotImplementedError as exc:
        raise NotConfigured(_("The storage cannot list its files, so those without a row cannot be found.")) from exc
    except Exception as exc:
        raise _away(exc) from exc


def _exists(name: str) -> bool:
    try:
        return default_storage.exists(name)
    except Exception as exc:
        raise _away(exc) from exc


def _away(exc: Exception) -> StorageUnavailable:
    logger.error("The storage does not answer: %s", type(exc).__name__)
    return StorageUnavailable(_("The storage does not answer."))


def _could_be_a_name(name: str) -> bool:
    """Whether a row could have it: what is not Unicode on disk, no database can hold."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
