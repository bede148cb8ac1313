"""Files that come with the request to run something, in the place of artifacts' ids."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from django.utils.translation import gettext_lazy as _

from automate_api.engine.capability import Capability
from automate_api.exceptions import FieldError, InvalidInput
from automate_api.models import Actor, Artifact
from automate_api.services.artifacts import delete_artifact, upload_artifact


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a caller sent it."""

    content: IO[bytes]
    name: str
    content_type: str


@contextmanager
def stored_uploads(
    given: Any, files: Mapping[str, Sequence[Upload]], *, capability: Capability, actor: Actor
) -> Iterator[Any]:
    """Store `files` as artifacts of the actor, and give `given` with their ids; leave none where what follows fails.

    Args:
        given: the input as it was sent; where there are files, an object without the members they stand for.
        files: by the member of the input, one of the capability's `artifact_inputs`, whose place they take.
        capability: what is going to run.
        actor: who sent them.

    Raises:
        InvalidInput: a file has no place in the input.
        PayloadTooLarge, StorageUnavailable: as for `upload_artifact`.
    """
    _require_places(given, files, capability)
    stored: list[Artifact] = []
    try:
        yield {**given, **_ids(files, capability, actor, stored)} if files else given
    except BaseException:
        for artifact in stored:
            delete_artifact(artifact)
        raise


def _ids(
    files: Mapping[str, Sequence[Upload]], capability: Capability, actor: Actor, stored: list[Artifact]
) -> dict[str, Any]:
    """The ids of the files, stored one after the other; each is in `stored` as soon as it is."""
    ids: dict[str, Any] = {}
    for member, uploads in files.items():
        for one in uploads:
            # One by one: what is stored must be known when the next fails.
            stored.append(  # noqa: PERF401
                upload_artifact(one.content, actor=actor, name=one.name, content_type=one.content_type)
            )
        keys = [str(artifact.pk) for artifact in stored[-len(uploads) :]]
        ids[member] = keys if _is_list(capability, member) or len(keys) > 1 else keys[0]
    return ids


def _require_places(given: Any, files: Mapping[str, Sequence[Upload]], capability: Capability) -> None:
    if files and not isinstance(given, dict):
        raise InvalidInput([FieldError("input", "invalid", str(_("Beside files the input is a JSON object.")))])
    errors = []
    for member in files:
        if member not in capability.artifact_inputs:
            errors.append(FieldError(f"input.{member}", "unexpected_file", str(_("No file is taken here."))))
        elif member in given:
            errors.append(FieldError(f"input.{member}", "ambiguous", str(_("This is a file and a value at once."))))
    if errors:
        raise InvalidInput(errors)


def _is_list(capability: Capability, member: str) -> bool:
    schema = capability.input_schema.get("properties", {}).get(member, {})
    return isinstance(schema, dict) and schema.get("type") == "array"
