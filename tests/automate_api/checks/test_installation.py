"""Apps that are not installed are found."""

import pytest
from pytest_django import Settings

from tests.checking import found, ids


def without(settings: Settings, app: str) -> None:
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != app]


@pytest.mark.parametrize("app", ["rest_framework", "django_filters", "drf_spectacular", "corsheaders"])
def test_an_app_that_is_stood_on_is_missed(settings: Settings, app: str) -> None:
    without(settings, app)
    assert [(message.id, app in (message.hint or "")) for message in found()] == [("automate_api.E008", True)]


def test_missing_assets_of_the_schema_pages_are_a_warning(settings: Settings) -> None:
    without(settings, "drf_spectacular_sidecar")
    assert ids() == {"automate_api.W005"}
