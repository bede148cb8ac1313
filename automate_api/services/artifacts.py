"""Artifacts: store, find, open, delete, and let go of those whose time is over."""

import inspect
import logging
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import IO, Any, cast
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.engine.artifacts import ReadArtifact
from automate_api.exceptions import AutomateError, FieldError, InvalidInput, NotFound, StorageUnavailable
from automate_api.models import Actor, Artifact, Execution, Job
from automate_api.models.artifact import discard_file
from automate_api.services.files import MeasuredFile, attachment, media_type, safe_name
from automate_api.services.recording import writing
from automate_api.services.rows import tenant_of

logger = logging.getLogger(__name__)

#: Where in the storage the files are.
FOLDER = "automate/artifacts"

#: How long an address of the storage gives the file. A client follows at once; clocks differ.
SIGNED_URL_SECONDS = 300

# What makes a query of S3, CloudFront or Google Cloud signed.
_SIGNATURES = {"X-Amz-Signature", "X-Goog-Signature", "Signature"}

#: Ids in one statement: SQLite takes 32,766 parameters, and callers name as many as they like.
MOST_IDS = 10_000

_KINDS = {kind.value for kind in Artifact.Kind}


def upload_artifact(content: IO[bytes], *, actor: Actor, name: str, content_type: str) -> Artifact:
    """Store a file that a caller brings.

    Args:
        content: open for reading in binary, and seekable.
        actor: whose it is.
        name: what the caller calls it; whatever stands before the last slash is dropped.
        content_type: what the caller says it is; nobody has looked.

    Raises:
        PayloadTooLarge: it is longer than `AUTOMATE_API_ARTIFACT_MAX_BYTES`.
        StorageUnavailable: the storage did not take it; nothing of it is left.
    """
    artifact = Artifact(tenant_id=tenant_of(actor), user_id=actor.user.pk)
    return _store(artifact, content, name=name, content_type=content_type)


def find_artifact(key: str, *, actor: Actor) -> Artifact:
    """The artifact with this id that `actor` may read.

    Raises:
        NotFound: there is none.
    """
    try:
        artifact_id = UUID(key)
    except ValueError as exc:
        raise NotFound from exc
    found: Artifact | None = Artifact.objects.readable_by(actor).filter(pk=artifact_id).first()
    if found is None:
        raise NotFound
    return found


def require_artifacts(named: dict[str, Any], *, actor: Actor) -> None:
    """Refuse input that names artifacts which `actor` may not read; `named` has one id or a list of them by field.

    Raises:
        InvalidInput: there is none with that id, as far as the actor may know.
    """
    ids = {field: value if isinstance(value, list) else [value] for field, value in named.items()}
    wanted = {key: parsed for values in ids.values() for key in values if (parsed := _uuid(key)) is not None}
    readable = _readable(list(wanted.values()), actor=actor)
    missing = [field for field, values in ids.items() if any(wanted.get(str(key)) not in readable for key in values)]
    if missing:
        raise InvalidInput([absent(field) for field in missing])


def _readable(keys: list[UUID], *, actor: Actor) -> set[UUID]:
    """Those of `keys` whose artifacts the actor may read."""
    readable: set[UUID] = set()
    for at in range(0, len(keys), MOST_IDS):
        some = Artifact.objects.readable_by(actor).filter(pk__in=keys[at : at + MOST_IDS])
        readable.update(some.values_list("pk", flat=True))
    return readable


def absent(field: str) -> FieldError:
    """What is said of an id of nothing, and of an id of somebody else's."""
    return FieldError(field, "does_not_exist", str(NotFound.default_detail))


def open_artifact(artifact: Artifact) -> IO[bytes]:
    """Its file, open for reading in binary, and seekable.

    Raises:
        StorageUnavailable: the storage does not have it, or not all of it.
    """
    try:
        file = default_storage.open(str(artifact.file.name), "rb")
        size = file.size
    except Exception as exc:
        raise _unreadable(artifact, type(exc).__name__) from exc
    if size != artifact.size:
        file.close()
        raise _unreadable(artifact, f"{size} bytes instead of {artifact.size}")
    return cast("IO[bytes]", file)


def signed_url(artifact: Artifact) -> str | None:
    """An address in the storage that gives the file to whoever has it, for `SIGNED_URL_SECONDS`.

    None where the storage signs nothing: only an address with a signature is told, never one that is open to all.
    Known are the storages for S3 and Google Cloud of django-storages, and those that have the same interface.
    """
    if not getattr(default_storage, "querystring_auth", False):
        return None
    try:
        url = _url_of(artifact)
    except Exception as exc:  # noqa: BLE001 - storages raise anything
        logger.error("The address of the artifact %s cannot be signed: %s", artifact.pk, type(exc).__name__)
        return None
    return url if _SIGNATURES & parse_qs(urlsplit(url).query).keys() else None


def _url_of(artifact: Artifact) -> str:
    storage: Any = default_storage
    saved = attachment(artifact.name)
    name, how = str(artifact.file.name), inspect.signature(storage.url).parameters
    if "expire" in how:
        asked = {"ResponseContentDisposition": saved, "ResponseContentType": artifact.content_type}
        return str(storage.url(name, parameters=asked, expire=SIGNED_URL_SECONDS))
    expiration = timedelta(seconds=SIGNED_URL_SECONDS)
    wished = {"response_disposition": saved, "response_type": artifact.content_type, "expiration": expiration}
    return str(storage.url(name, parameters=wished))


def delete_artifact(artifact: Artifact) -> None:
    """Delete the row, and once that is committed its file."""
    with writing():
        artifact.delete()


def count_expired() -> int:
    """How many artifacts have expired."""
    return int(Artifact.objects.expired().count())


def prune_artifacts(*, batch: int = 200) -> Iterator[int]:
    """Delete expired artifacts with their files; yields how many, batch by batch."""
    while chosen := list(Artifact.objects.expired().order_by("expires_at").values_list("pk", flat=True)[:batch]):
        with writing():
            _deleted, by_model = Artifact.objects.filter(pk__in=chosen).delete()
        yield by_model.get(Artifact._meta.label, 0)  # noqa: SLF001 - Django's public _meta


class RunArtifacts:
    """The files of one run: those it may read are those of whoever runs it (an `ArtifactStore`)."""

    def __init__(self, execution: Execution, *, job: Job | None = None, holding: Any = nullcontext) -> None:
        self._execution, self._job = execution, job
        # Of a job, a transaction in which no other process can have it.
        self._holding: Any = holding

    def read(self, artifact_id: str, *, max_bytes: int) -> ReadArtifact:
        """The artifact, whole.

        Raises:
            InvalidInput: there is none that whoever runs this may read, or it is longer.
            StorageUnavailable: the storage cannot give it.
        """
        artifact = self._find(artifact_id)
        if artifact.size > max_bytes:
            detail = str(_("The artifact is too large for this."))
            raise InvalidInput([FieldError("input", "max_length", detail)], detail)
        with open_artifact(artifact) as file:
            return ReadArtifact(artifact.name, artifact.content_type, file.read())

    def _find(self, artifact_id: str) -> Artifact:
        users: Any = get_user_model()._default_manager  # noqa: SLF001 - Django's public name
        user, key = users.filter(pk=self._execution.user_id).first(), _uuid(artifact_id)
        if user is not None and key is not None:
            actor = Actor(user=user, tenant_id=self._execution.tenant_id)
            for artifact in Artifact.objects.readable_by(actor).filter(pk=key):
                return cast("Artifact", artifact)
        detail = str(_("The artifact that the input names is not there any more."))
        raise InvalidInput([absent("input")], detail)

    def write(self, content: IO[bytes], *, name: str, content_type: str) -> dict[str, Any]:
        """Store a file of this run; the data of its `artifact` event.

        Raises:
            PayloadTooLarge, StorageUnavailable: as for `upload_artifact`.
            RunCancelled: another process has taken the job over.
        """
        execution = self._execution
        artifact = Artifact(
            tenant_id=execution.tenant_id, user_id=execution.user_id, execution=execution, job=self._job
        )
        _store(artifact, content, name=name, content_type=content_type, holding=self._holding)
        return event_data(artifact)


def event_data(artifact: Artifact) -> dict[str, Any]:
    """What an `artifact` event says of it."""
    return {
        "id": str(artifact.pk),
        "kind": str(artifact.kind),
        "content_type": artifact.content_type,
        "size": artifact.size,
    }


def _store(
    artifact: Artifact,
    content: IO[bytes],
    *,
    name: str,
    content_type: str,
    holding: Any = nullcontext,
) -> Artifact:
    """Store the file, then the row, so that no row is ever without its whole file; and neither where one fails."""
    measured = MeasuredFile(content, limit=settings.artifact_max_bytes)
    stored = _put(measured)
    try:
        artifact.file, artifact.size, artifact.sha256 = stored, measured.measured, measured.sha256()
        artifact.name, artifact.content_type = safe_name(name), media_type(content_type)
        artifact.kind = kind_of(artifact.content_type)
        artifact.expires_at = _expiry()
        with writing(), cast("AbstractContextManager[Any]", holding()):
            artifact.save(force_insert=True)
    except BaseException:
        discard_file(stored)
        raise
    return artifact


def _put(file: MeasuredFile) -> str:
    """Write `file` into the storage and read it to its end; the name it has there.

    The name is neither guessed from outside nor of a type that a web server would know.
    """
    now, name = timezone.now(), secrets.token_hex(20)
    # Spread over folders: storages list one at a time, and whole.
    wanted = f"{FOLDER}/{now:%Y/%m}/{name[:2]}/{name}"
    try:
        file.seek(0)
        stored = default_storage.save(wanted, file)
        file.sha256()
    except AutomateError:
        discard_file(wanted)
        raise
    except Exception as exc:
        discard_file(wanted)
        logger.error("A file could not be stored: %s", type(exc).__name__)
        raise StorageUnavailable(_("The file could not be stored.")) from exc
    except BaseException:
        discard_file(wanted)
        raise
    return stored


def kind_of(content_type: str) -> str:
    """The `Artifact.Kind` of a media type."""
    family = content_type.partition("/")[0]
    return family if family in _KINDS else Artifact.Kind.FILE.value


def _expiry() -> Any:
    seconds = settings.artifact_retention
    return None if seconds is None else timezone.now() + timedelta(seconds=float(seconds))


def _unreadable(artifact: Artifact, why: str) -> StorageUnavailable:
    logger.error("The file of the artifact %s cannot be read: %s", artifact.pk, why)
    return StorageUnavailable(_("The file cannot be read."))


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
