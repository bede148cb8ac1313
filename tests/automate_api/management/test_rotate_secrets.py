"""`manage.py rotate_secrets`."""

import io
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from automate_api.models import Provider
from automate_api.services.secrets import rotate_secrets
from tests.factories import make_provider

pytestmark = pytest.mark.django_db

FIELD: Any = Provider._meta.get_field("api_key")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def rotate(**options: Any) -> str:
    out = io.StringIO()
    call_command("rotate_secrets", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def new_key(settings: Any) -> str:
    """Five providers under the old key, one without a key; a new key in front."""
    for number in range(5):
        make_provider(api_key=f"key-{number}")
    make_provider()
    key = Fernet.generate_key().decode()
    settings.AUTOMATE_API_ENCRYPTION_KEYS = [key, *settings.AUTOMATE_API_ENCRYPTION_KEYS]
    return key


def revealed() -> set[str]:
    return {provider.api_key.reveal() for provider in Provider.objects.all()}


def test_afterwards_the_old_key_is_not_needed(new_key: str, settings: Any) -> None:
    assert "5 of 5" in rotate()
    settings.AUTOMATE_API_ENCRYPTION_KEYS = [new_key]
    assert revealed() == {"", *(f"key-{number}" for number in range(5))}


def test_a_second_run_changes_nothing(new_key: str) -> None:
    rotate()
    before = list(Provider.objects.values_list("api_key", flat=True))
    assert "0 of 5" in rotate()
    assert list(Provider.objects.values_list("api_key", flat=True)) == before


def test_an_interrupted_run_is_taken_up_again(new_key: str, settings: Any) -> None:
    rows = rotate_secrets(Provider, FIELD, batch=2)
    assert [next(rows) for _ in range(3)] == [True, True, True]
    rows.close()  # type: ignore[attr-defined]
    assert "2 of 5" in rotate()
    settings.AUTOMATE_API_ENCRYPTION_KEYS = [new_key]
    assert len(revealed()) == 6


def test_a_key_that_is_changed_meanwhile_is_kept(new_key: str) -> None:
    rows = rotate_secrets(Provider, FIELD, batch=5)
    next(rows)
    last = Provider.objects.exclude(api_key="").order_by("-pk")[0]
    Provider.objects.filter(pk=last.pk).update(api_key="newest")
    list(rows)
    last.refresh_from_db()
    assert last.api_key.reveal() == "newest"


def test_a_secret_no_key_decrypts_is_an_error_that_names_the_column(settings: Any) -> None:
    make_provider(api_key="key")
    settings.AUTOMATE_API_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match=r"automate_api\.Provider\.api_key"):
        rotate()


def test_a_terminal_sees_a_progress_bar(new_key: str) -> None:
    terminal = Terminal()
    rotate(stderr=terminal)
    assert "5/5" in terminal.getvalue()
