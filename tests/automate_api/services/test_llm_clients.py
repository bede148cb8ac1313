"""LLM clients: whose they are, and what they may hold."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from automate_api.exceptions import Conflict, InvalidInput, PermissionDenied
from automate_api.models import Actor, LLMClient, LLMClientShare
from automate_api.services.llm_clients import create_llm_client, delete_llm_client, update_llm_client
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
