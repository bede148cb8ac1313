"""Providers: their key goes only where it was meant to go."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db.models.signals import pre_delete

from automate_api.exceptions import Conflict, InvalidInput, NotConfigured
from automate_api.models import LLMClient, Provider
from automate_api.services.providers import (
    create_provider,
    delete_provider,
    probe_provider,
    target_of,
    update_provider,
)
from tests.factories import make_actor, make_llm_client, make_provider, make_user
from tests.upstream import MODELS, FakeUpstream

pytestmark = pytest.mark.django_db


def create(**fields: Any) -> Provider:
    return create_provider(actor=make_actor(), **{"name": "Main", "base_url": "https://model.example/v1", **fields})


def test_a_slug_is_made_of_the_name_and_counts_up() -> None:
    assert [create().slug, create().slug, create(name="2024").slug] == ["main", "main-2", "provider-2024"]


def test_a_slug_that_is_taken_is_a_conflict_in_the_same_tenant_only() -> None:
    create(slug="one")
    with pytest.raises(Conflict):
        create(slug="one")
    other = create_provider(actor=make_actor(tenant_id="other"), name="x", slug="one", base_url="https://a.example/v1")
    assert other.slug == "one"


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1/v1",
        "http://169.254.169.254/latest",
        "http://[::1]/v1",
        "file:///etc/passwd",
        "https://user@model.example/v1",
        "https://model.example/v1?key=x",
        "https://model.example/v1#x",
        "not a url",
        "",
    ],
)
def test_an_address_that_may_not_be_called_is_not_even_stored(base_url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(base_url=base_url)
    assert {error.field for error in caught.value.errors} == {"base_url"}
    assert Provider.objects.count() == 0


@pytest.mark.parametrize("key", ["a\r\nX-Injected: 1", "a b", "clé", "a\x00b"])
def test_a_key_that_could_break_a_header_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(api_key=key)
    assert key not in str(caught.value.errors)


def test_a_changed_address_drops_the_key() -> None:
    provider = create(api_key="secret-key")
    assert update_provider(provider, name="Renamed").api_key.reveal() == "secret-key"
    assert update_provider(provider, base_url="https://model.example/v1").api_key.reveal() == "secret-key"
    assert update_provider(provider, base_url="https://elsewhere.example/v1").api_key.reveal() == ""


def test_a_changed_address_with_a_new_key_keeps_the_new_key() -> None:
    provider = create(api_key="secret-key")
    changed = update_provider(provider, base_url="https://elsewhere.example/v1", api_key="other-key")
    assert changed.api_key.reveal() == "other-key"


def test_a_field_that_does_not_fit_its_column_is_invalid() -> None:
    with pytest.raises(InvalidInput) as caught:
        create(timeout_seconds=0, max_retries=99)
    assert {error.field for error in caught.value.errors} == {"timeout_seconds", "max_retries"}


def test_a_provider_in_use_is_not_deleted() -> None:
    client = make_llm_client()
    with pytest.raises(Conflict):
        delete_provider(client.provider)
    client.delete()
    delete_provider(client.provider)
    assert Provider.objects.count() == 0


def test_a_probe_really_calls(upstream: FakeUpstream) -> None:
    probe = probe_provider(make_provider(base_url=upstream.url, api_key="probe-key"))
    assert (probe.ok, probe.models, probe.error) == (True, MODELS, None)
    assert upstream.requests[-1].path == "/v1/models"
    assert upstream.requests[-1].headers["authorization"] == "Bearer probe-key"


def test_a_probe_of_nothing_says_what_is_wrong(settings: Any) -> None:
    settings.AUTOMATE_API_PRIVATE_HOSTS = ["127.0.0.1:9"]
    probe = probe_provider(make_provider(base_url="http://127.0.0.1:9/v1"))
    assert (probe.ok, (probe.error or {})["code"]) == (False, "upstream_unavailable")


@pytest.mark.django_db(transaction=True)
def test_a_provider_that_comes_into_use_while_it_is_deleted_is_not_deleted() -> None:
    provider, owner = make_provider(), make_user()

    def use(instance: Provider, **kwargs: Any) -> None:
        make_llm_client(provider=instance, owner=owner)

    pre_delete.connect(use, sender=Provider)
    try:
        with pytest.raises(Conflict):
            delete_provider(provider)
    finally:
        pre_delete.disconnect(use, sender=Provider)
    assert (Provider.objects.count(), LLMClient.objects.count()) == (1, 0)


@pytest.mark.parametrize("keys", [[], ["not a key"], [None], "", "not a key", [Fernet.generate_key().decode()]])
def test_an_encryption_key_that_is_missing_or_wrong_is_not_configured(settings: Any, keys: Any) -> None:
    provider = create(api_key="secret-key")
    settings.AUTOMATE_API_ENCRYPTION_KEYS = keys
    with pytest.raises(NotConfigured):
        target_of(provider, model="m")
    assert (probe_provider(provider).error or {})["code"] == "not_configured"
    assert create(name="Without a key").has_api_key is False


@pytest.mark.parametrize("keys", [[], ["not a key"], [None]])
def test_a_key_is_not_stored_where_it_cannot_be_encrypted(settings: Any, keys: Any) -> None:
    settings.AUTOMATE_API_ENCRYPTION_KEYS = keys
    with pytest.raises(NotConfigured):
        create(api_key="secret-key")
    assert Provider.objects.count() == 0
