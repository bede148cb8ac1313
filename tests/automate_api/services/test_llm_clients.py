"""LLM clients: whose they are, and what they may hold."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import F
from pytest_django import Settings

from automate_api.exceptions import Conflict, InvalidInput, NotFound, PermissionDenied
from automate_api.models import Actor, Endpoint, LLMClient, LLMClientShare
from automate_api.services.endpoints import create_endpoint
from automate_api.services.llm_clients import (
    _COPIED,
    clone_llm_client,
    create_llm_client,
    delete_llm_client,
    find_llm_client,
    find_llm_client_by_slug,
    rename_llm_client,
    restorable_llm_clients,
    restore_llm_client,
    share_llm_client,
    update_llm_client,
)
from automate_api.services.models import reachable_models
from automate_api.services.providers import delete_provider
from automate_api.services.runs import prepare_chat
from tests.factories import make_actor, make_endpoint, make_llm_client, make_provider

pytestmark = pytest.mark.django_db


def create(actor: Actor, **fields: Any) -> LLMClient:
    return create_llm_client(actor=actor, **{"name": "Helper", "provider": make_provider(), **fields})


def test_it_belongs_to_who_made_it() -> None:
    ann = make_actor()
    assert create(ann).owner == ann.user


def test_names_are_unique_per_owner() -> None:
    ann, bob = make_actor(), make_actor()
    create(ann)
    create(bob)
    with pytest.raises(Conflict):
        create(ann)


@pytest.mark.parametrize("name", ["base_url", "api_key", "messages", "stream", "extra_headers"])
def test_parameters_are_those_a_run_may_have(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(make_actor(), parameters={name: "x"})
    assert caught.value.errors[0].field == f"parameters.{name}"


def test_tools_have_the_protocols_shape() -> None:
    with pytest.raises(InvalidInput):
        create(make_actor(), tools=[{"type": "web", "url": "http://127.0.0.1"}])


def test_a_model_is_needed_where_the_provider_has_no_default() -> None:
    with pytest.raises(InvalidInput) as caught:
        create(make_actor(), provider=make_provider(default_model=""))
    assert caught.value.errors[0].field == "model"


def test_only_the_owner_and_staff_change_it() -> None:
    ann, bob, staff = make_actor(), make_actor(), make_actor(is_staff=True)
    client = make_llm_client(owner=ann.user, shared_with_tenant=True)
    for change in (update_llm_client, delete_llm_client):
        with pytest.raises(PermissionDenied):
            change(client, actor=bob)
    assert update_llm_client(client, actor=ann, name="Mine").version == 2
    assert update_llm_client(client, actor=staff, name="Ours").version == 3


def test_one_in_use_is_not_deleted() -> None:
    endpoint = make_endpoint()
    with pytest.raises(Conflict):
        delete_llm_client(endpoint.llm_client, actor=make_actor(is_staff=True))


def test_who_reads_what() -> None:
    ann, bob, staff = make_actor(), make_actor(), make_actor(is_staff=True)
    stranger = make_actor(tenant_id="other", is_staff=True)
    group = Group.objects.create(name="team")
    bob.user.groups.add(group)
    private = make_llm_client(owner=ann.user)
    to_user, to_group = make_llm_client(owner=ann.user), make_llm_client(owner=ann.user)
    to_tenant = make_llm_client(owner=ann.user, shared_with_tenant=True)
    LLMClientShare.objects.create(llm_client=to_user, user=bob.user)
    LLMClientShare.objects.create(llm_client=to_group, group=group)
    own = make_llm_client(owner=bob.user)
    rows = LLMClient.objects
    assert set(rows.readable_by(bob)) == {to_user, to_group, to_tenant, own}
    assert set(rows.shared_with(bob)) == {to_user, to_group, to_tenant}
    assert set(rows.owned_by(bob)) == {own}
    assert set(rows.readable_by(staff)) == {private, to_user, to_group, to_tenant, own}
    assert set(rows.readable_by(stranger)) == set()
    assert set(rows.readable_by(Actor(user=ann.user, tenant_id=None))) == set()
    assert to_user.sharing == {"tenant": False, "users": [bob.user.pk], "groups": []}


def share(client: LLMClient, **sharing: Any) -> LLMClient:
    return share_llm_client(client, actor=make_actor(is_staff=True), **sharing)


def test_a_clone_has_the_configuration_and_belongs_to_who_made_it() -> None:
    ann, bob = make_actor(), make_actor()
    shaping = {"description": "d", "model": "m", "system_prompt": "Rhyme.", "temperature": 0.5, "max_tokens": 9}
    shaping |= {"parameters": {"seed": 1}, "tools": [{"type": "function", "function": {"name": "look"}}]}
    original = create(ann, **shaping)
    update_llm_client(original, actor=ann, temperature=0.7)
    share(original, tenant=True, users=[bob.user])
    copy = clone_llm_client(original, actor=bob, name="Mine")
    stored = LLMClient.objects.get(pk=copy.pk)
    assert {name: getattr(stored, name) for name in shaping} == {**shaping, "temperature": 0.7}
    assert (stored.owner, stored.provider, stored.tenant_id) == (bob.user, original.provider, "default")
    assert (stored.name, stored.slug, stored.version) == ("Mine", "mine", 1)
    assert stored.sharing == copy.sharing == {"tenant": False, "users": [], "groups": []}
    assert list(stored.versions.values_list("version", flat=True)) == [1]


def test_every_column_that_shapes_an_answer_is_copied() -> None:
    mine = {"id", "tenant_id", "name", "slug", "owner", "shared_with_tenant"}
    history = {"version", "created_at", "updated_at", "deleted_at"}
    columns = {field.name for field in LLMClient._meta.concrete_fields} - mine - history
    assert {name.removesuffix("_id") for name in _COPIED} == columns


def test_one_that_cannot_be_read_or_called_is_not_cloned() -> None:
    ann, bob = make_actor(), make_actor()
    client = make_llm_client(owner=ann.user)
    with pytest.raises(NotFound):
        clone_llm_client(client, actor=bob, name="Mine")
    share(client, tenant=True)
    client.provider.enabled = False
    client.provider.save()
    with pytest.raises(Conflict):
        clone_llm_client(client, actor=bob, name="Mine")
    assert not LLMClient.objects.owned_by(bob).exists()


@pytest.mark.parametrize("name", ["", "n" * 201])
def test_a_name_that_does_not_fit(name: str) -> None:
    ann = make_actor()
    client = make_llm_client(owner=ann.user)
    for change in (clone_llm_client, rename_llm_client):
        with pytest.raises(InvalidInput) as caught:
            change(client, actor=ann, name=name)
        assert caught.value.errors[0].field == "name"


def test_a_renamed_one_keeps_its_slug() -> None:
    ann = make_actor()
    client = create(ann)
    renamed = rename_llm_client(client, actor=ann, name="Poet")
    assert (renamed.name, renamed.slug, renamed.version) == ("Poet", "helper", 2)
    create(ann)
    with pytest.raises(Conflict):
        rename_llm_client(renamed, actor=ann, name="Helper")


def test_sharing_leaves_alone_what_else_was_changed_meanwhile() -> None:
    ann, bob = make_actor(), make_actor()
    group = Group.objects.create(name="team")
    known = make_llm_client(owner=ann.user)
    update_llm_client(known, actor=ann, system_prompt="Rhyme.", name="Poet")
    share_llm_client(known, actor=ann, tenant=True, users=[bob.user, bob.user], groups=[group])
    stored = LLMClient.objects.get(pk=known.pk)
    assert (stored.name, stored.system_prompt, stored.version) == ("Poet", "Rhyme.", 2)
    assert stored.sharing == {"tenant": True, "users": [bob.user.pk], "groups": [group.pk]}
    assert stored.updated_at > known.updated_at
    share_llm_client(known, actor=ann, tenant=False, users=[])
    assert LLMClient.objects.get(pk=known.pk).sharing == {"tenant": False, "users": [], "groups": [group.pk]}


def test_a_deleted_one_is_nowhere() -> None:
    ann, staff = make_actor(), make_actor(is_staff=True)
    client = make_llm_client(owner=ann.user, shared_with_tenant=True, model="odd")
    assert "odd" in {model.name for model in reachable_models(actor=ann)}
    delete_llm_client(client, actor=ann)
    rows = LLMClient.objects
    for actor in (ann, staff):
        for found in (rows.readable_by, rows.writable_by, rows.owned_by, rows.shared_with):
            assert not found(actor).exists()
        for find, key in ((find_llm_client, str(client.pk)), (find_llm_client_by_slug, client.slug)):
            with pytest.raises(NotFound):
                find(key, actor=actor)
        for change in (update_llm_client, delete_llm_client, share_llm_client):
            with pytest.raises(NotFound):
                change(client, actor=actor)
        with pytest.raises(NotFound):
            clone_llm_client(client, actor=actor, name="Mine")
        with pytest.raises(NotFound):
            prepare_chat(client, actor=actor, correlation_id="c", input="x")
        assert "odd" not in {model.name for model in reachable_models(actor=actor)}
    with pytest.raises(InvalidInput) as caught:
        create_endpoint(actor=staff, name="Ask", task_types=["llm.chat"], llm_client=client)
    assert [(error.field, error.code) for error in caught.value.errors] == [("llm_client", "does_not_exist")]
    with pytest.raises(ValidationError):
        Endpoint(tenant_id="default", llm_client=client).clean()


def test_a_restored_one_is_as_it_was() -> None:
    ann, bob = make_actor(), make_actor()
    client = make_llm_client(owner=ann.user, system_prompt="Rhyme.")
    share(client, users=[bob.user])
    delete_llm_client(client, actor=ann)
    assert list(restorable_llm_clients(actor=ann)) == [client]
    assert not restorable_llm_clients(actor=bob).exists()
    with pytest.raises(NotFound):
        restore_llm_client(client, actor=bob)
    restored = restore_llm_client(client, actor=make_actor(is_staff=True))
    assert (restored.deleted_at, restored.version, restored.system_prompt) == (None, 1, "Rhyme.")
    assert list(LLMClient.objects.shared_with(bob)) == [client]
    with pytest.raises(NotFound):
        restore_llm_client(client, actor=ann)


def test_nobody_of_another_tenant_restores_it() -> None:
    client = make_llm_client()
    delete_llm_client(client, actor=make_actor(is_staff=True))
    for actor in (
        Actor(user=client.owner, tenant_id="other"),
        Actor(user=client.owner, tenant_id=None),
        make_actor(tenant_id="other", is_staff=True),
    ):
        assert not restorable_llm_clients(actor=actor).exists()
        with pytest.raises(NotFound):
            restore_llm_client(client, actor=actor)


def test_its_name_and_slug_are_free_until_it_is_restored() -> None:
    ann, bob = make_actor(), make_actor()
    first = create(ann)
    delete_llm_client(first, actor=ann)
    second = create(ann)
    assert second.slug == first.slug
    with pytest.raises(Conflict):
        restore_llm_client(first, actor=ann)
    delete_llm_client(second, actor=ann)
    create(bob)
    with pytest.raises(Conflict):
        restore_llm_client(first, actor=ann)
    assert LLMClient.objects.filter(pk=first.pk, deleted_at__isnull=False).exists()


def test_it_can_be_restored_until_it_expires(settings: Settings) -> None:
    ann = make_actor()
    client = make_llm_client(owner=ann.user)
    delete_llm_client(client, actor=ann)
    LLMClient.objects.update(deleted_at=F("deleted_at") - timedelta(days=31))
    with pytest.raises(NotFound):
        restore_llm_client(client, actor=ann)
    assert not restorable_llm_clients(actor=ann).exists()
    settings.AUTOMATE_API_LLM_CLIENT_RETENTION = None
    assert restore_llm_client(client, actor=ann) == client


def test_a_provider_goes_with_the_deleted_ones_that_used_it() -> None:
    staff = make_actor(is_staff=True)
    client = make_llm_client()
    other = make_llm_client(provider=client.provider)
    delete_llm_client(client, actor=staff)
    with pytest.raises(Conflict):
        delete_provider(client.provider)
    assert restorable_llm_clients(actor=staff).count() == 1
    delete_llm_client(other, actor=staff)
    delete_provider(client.provider)
    assert not LLMClient.objects.exists()
