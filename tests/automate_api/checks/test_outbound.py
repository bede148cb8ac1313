"""Openings to private addresses that are unreadable, or too wide, are found."""

from typing import Any

import pytest
from pytest_django import Settings

from tests.checking import ids


@pytest.mark.parametrize("entry", ["http://not a host/", "10.0.0.0/33", "10.0.0.1/8", "", None])
def test_an_entry_that_cannot_be_read_is_found(settings: Settings, entry: Any) -> None:
    settings.AUTOMATE_API_PRIVATE_HOSTS = ["localhost", entry]
    assert ids() == {"automate_api.E004"}


@pytest.mark.parametrize(
    "entry",
    [
        "0.0.0.0/0",
        "::/0",
        "0.0.0.0/1",
        "169.254.0.0/16",
        "169.254.169.254:80",
        "fc00::/7",
        "100.64.0.0/10",
        "metadata.google.internal",
    ],
)
def test_an_entry_that_admits_too_much_is_a_warning_in_production(settings: Settings, entry: str) -> None:
    settings.AUTOMATE_API_PRIVATE_HOSTS = [entry]
    assert "automate_api.W023" in ids(deploy=True)
    assert ids() == set()


@pytest.mark.parametrize("entry", ["models.internal", "127.0.0.1:8080", "10.0.0.0/8", "192.168.0.0/16", "fd12::/48"])
def test_a_private_network_is_none(settings: Settings, entry: str) -> None:
    settings.AUTOMATE_API_PRIVATE_HOSTS = [entry]
    assert "automate_api.W023" not in ids(deploy=True)
