"""Artifacts are kept, and reached by those alone who may."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.core.files.storage import FileSystemStorage, InMemoryStorage, storages
from django.views.static import serve

from automate_api.checks.reading import TAG, in_production, url_patterns
from automate_api.services.artifacts import FOLDER


def _storage() -> Any:
    """The default storage, or why there is none."""
    try:
        return storages["default"]
    except Exception as exc:  # noqa: BLE001 - whatever keeps it from being made keeps files from it
        return exc


@register(TAG)
def check_storage(**kwargs: Any) -> list[CheckMessage]:
    """E032: the storage of artifacts cannot be made."""
    storage = _storage()
    if not isinstance(storage, Exception):
        return []
    hint = "Correct STORAGES['default']: its BACKEND, its OPTIONS, and the package that it needs."
    return [Error(f"No artifact can be stored: {storage}", hint=hint, id="automate_api.E032")]


@in_production
def check_kept(**kwargs: Any) -> list[CheckMessage]:
    """W030: artifacts are not kept, or not where another process looks for them."""
    why = _losing(_storage())
    if why is None:
        return []
    hint = "Set MEDIA_ROOT to an absolute path, or STORAGES['default'] to a storage that all your processes share."
    return [checks.Warning(f"Artifacts are stored {why}.", hint=hint, id="automate_api.W030")]


def _losing(storage: Any) -> str | None:
    if isinstance(storage, InMemoryStorage):
        return "in the memory of each process: no other has them, and they end with it"
    if isinstance(storage, FileSystemStorage) and not Path(storage.base_location).is_absolute():
        return f"below the folder that each process was started in: MEDIA_ROOT is {str(storage.base_location)!r}"
    return None


@in_production
def check_published(**kwargs: Any) -> list[CheckMessage]:
    """W031: whoever knows the name of an artifact's file gets it."""
    storage = _storage()
    if not isinstance(storage, FileSystemStorage):
        return []
    folder = (Path(storage.location) / FOLDER).resolve()
    hint = "Keep artifacts in a folder that nothing serves: they are downloaded through the API, which asks who calls."
    return [
        checks.Warning(f"The files of artifacts are published by {by}.", hint=hint, id="automate_api.W031")
        for by, published in _published()
        if folder.is_relative_to(Path(published).resolve())
    ]


def _published() -> Iterator[tuple[str, Any]]:
    """What serves a folder to everybody, and the folder; a web server's own configuration is not seen."""
    if getattr(settings, "STATIC_ROOT", None):
        yield "STATIC_ROOT", settings.STATIC_ROOT
    for entry in getattr(settings, "STATICFILES_DIRS", ()):
        yield "STATICFILES_DIRS", entry[1] if isinstance(entry, list | tuple) else entry
    for pattern in url_patterns():
        root = pattern.default_args.get("document_root")
        if pattern.callback is serve and root:
            yield f"the route {str(pattern.pattern)!r}", root
