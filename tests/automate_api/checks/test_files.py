"""A host that would lose artifacts, or show them to everybody, is told so."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage, Storage
from django.urls import include, re_path
from django.views.static import serve
from pytest_django import Settings

from tests.checking import found, ids

#: What the others find depends on the database and the cache of the run.
OF_FILES = {f"automate_api.{number}" for number in ("W030", "W031", "E032")}
FILES = "django.core.files.storage.FileSystemStorage"


class OwnMemoryStorage(InMemoryStorage):
    """A host's."""


class Elsewhere(Storage):
    """Neither in files nor in memory."""


class Keyless(Storage):
    """Needs a key that nobody has set."""

    def __init__(self) -> None:
        raise RuntimeError("There is no key.")


def of_files(*, deploy: bool = True) -> set[str | None]:
    return ids(deploy=deploy) & OF_FILES


def store_in(settings: Settings, backend: str, **options: Any) -> None:
    """Have artifacts stored there."""
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": backend, "OPTIONS": options}}


def serve_folder(settings: Settings, folder: Any, view: Any = serve) -> None:
    """Route a folder's files."""
    served = [re_path(r"^(?P<path>.*)$", view, {"document_root": folder})]
    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": [re_path("^media/", include(served))]})


def test_a_folder_of_its_own_is_fine() -> None:
    assert of_files() == set()


@pytest.mark.parametrize("storage", ["django.core.files.storage.InMemoryStorage", f"{__name__}.OwnMemoryStorage"])
def test_memory_is_a_warning(settings: Settings, storage: str) -> None:
    store_in(settings, storage)
    assert of_files() == {"automate_api.W030"}
    assert of_files(deploy=False) == set()
    settings.DEBUG = True
    assert of_files() == set()


@pytest.mark.parametrize("root", ["", Path(), "media", "./media"])
def test_a_folder_that_depends_on_where_a_process_starts_is_a_warning(settings: Settings, root: Any) -> None:
    settings.MEDIA_ROOT = root
    assert of_files() == {"automate_api.W030"}


def test_the_folder_is_the_storages_own_where_it_has_one(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = ""
    store_in(settings, FILES, location=tmp_path)
    assert of_files() == set()
    settings.MEDIA_ROOT = tmp_path
    store_in(settings, FILES, location="files")
    assert of_files() == {"automate_api.W030"}


def test_another_storage_is_the_hosts_affair(settings: Settings) -> None:
    settings.MEDIA_ROOT = ""
    store_in(settings, f"{__name__}.Elsewhere")
    assert of_files() == set()


@pytest.mark.parametrize("view", [serve, lambda request, path, document_root: None])
def test_a_route_to_the_files_is_a_warning(settings: Settings, tmp_path: Path, view: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    serve_folder(settings, tmp_path / "media", view)
    # What another view does with a folder, nobody knows.
    assert of_files() == ({"automate_api.W031"} if view is serve else set())
    serve_folder(settings, tmp_path / "media" / "avatars", view)
    assert of_files() == set()


@pytest.mark.parametrize("setting", ["STATIC_ROOT", "STATICFILES_DIRS"])
@pytest.mark.parametrize(
    ("below", "is_found"), [(".", True), ("media", True), ("media/automate/artifacts", True), ("static", False)]
)
def test_a_published_folder_around_them_is_a_warning(
    settings: Settings, tmp_path: Path, setting: str, below: str, is_found: bool
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    published = tmp_path / below
    setattr(settings, setting, published if setting == "STATIC_ROOT" else [("prefix", published), tmp_path / "other"])
    assert of_files() == ({"automate_api.W031"} if is_found else set())


def test_a_link_to_them_publishes_them_too(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STATIC_ROOT = str(tmp_path / "link")
    (tmp_path / "link").symlink_to(tmp_path)
    assert of_files() == {"automate_api.W031"}


@pytest.mark.parametrize("backend", ["nowhere.Storage", f"{__name__}.Keyless", f"{__name__}.Elsewhere"])
def test_a_storage_that_cannot_be_made_is_an_error(settings: Settings, backend: str) -> None:
    store_in(settings, backend, **({"no": "such option"} if "Elsewhere" in backend else {}))
    assert of_files(deploy=False) == {"automate_api.E032"}
    assert of_files() == {"automate_api.E032"}


def test_a_host_without_a_default_storage_is_told(settings: Settings) -> None:
    settings.STORAGES = {"staticfiles": settings.STORAGES["staticfiles"]}
    (error,) = [message for message in found() if message.id == "automate_api.E032"]
    assert "'default'" in error.msg
