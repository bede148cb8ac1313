"""Secrets are ciphertext everywhere but where they are used."""

import copy
import pickle
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from automate_api.models import Provider
from automate_api.security.secrets import Secret
from tests.factories import make_provider

PLAIN = "sk-canary-0123456789"

pytestmark = pytest.mark.django_db


def stored(provider: Provider) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM automate_api_provider WHERE id = %s", [provider.pk])
        return str(cursor.fetchone()[0])


def test_the_database_holds_ciphertext_and_the_field_reveals() -> None:
    provider = make_provider(api_key=PLAIN)
    assert PLAIN not in stored(provider)
    assert Provider.objects.get(pk=provider.pk).api_key.reveal() == PLAIN


def test_an_assigned_key_is_encrypted_at_once() -> None:
    provider = Provider()
    provider.api_key = PLAIN
    assert PLAIN not in repr(vars(provider))
    assert PLAIN not in f"{provider.api_key} {provider.api_key!r}"
    assert PLAIN.encode() not in pickle.dumps(copy.deepcopy(provider))


def test_an_empty_key_stays_empty() -> None:
    provider = make_provider()
    assert stored(provider) == ""
    assert not provider.has_api_key
    assert Provider.objects.get(pk=provider.pk).api_key.reveal() == ""


def test_a_deferred_key_is_loaded_when_it_is_asked_for() -> None:
    provider = Provider.objects.defer("api_key").get(pk=make_provider(api_key=PLAIN).pk)
    assert provider.api_key.reveal() == PLAIN


def test_an_update_encrypts() -> None:
    provider = make_provider()
    Provider.objects.filter(pk=provider.pk).update(api_key=PLAIN)
    assert PLAIN not in stored(provider)
    provider.refresh_from_db()
    assert provider.api_key.reveal() == PLAIN


def test_a_dump_and_load_carries_ciphertext_and_encrypts_once() -> None:
    provider = make_provider(api_key=PLAIN)
    dump = serializers.serialize("json", [provider])
    assert PLAIN not in dump
    for loaded in serializers.deserialize("json", dump):
        loaded.save()
    provider.refresh_from_db()
    assert provider.api_key.reveal() == PLAIN


def test_one_plaintext_has_two_ciphertexts() -> None:
    assert Secret.of(PLAIN) != Secret.of(PLAIN)


def test_without_a_key_nothing_is_stored_or_read(settings: Any) -> None:
    secret = Secret.of(PLAIN)
    settings.AUTOMATE_API_ENCRYPTION_KEYS = []
    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
        Secret.of(PLAIN)
    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
        secret.reveal()


def test_a_wrong_key_says_so_and_shows_nothing(settings: Any) -> None:
    secret = Secret.of(PLAIN)
    settings.AUTOMATE_API_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ImproperlyConfigured) as caught:
        secret.reveal()
    assert secret.ciphertext not in str(caught.value)
