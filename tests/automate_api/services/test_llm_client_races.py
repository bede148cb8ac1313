"""LLM clients that several change at the same moment, on whichever database: one after the other, never in between."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from automate_api.exceptions import AutomateError, Conflict, InvalidInput, NotFound
from automate_api.models import Actor, Endpoint, LLMClient, LLMClientShare, Provider
from automate_api.services.endpoints import create_endpoint, update_endpoint
from automate_api.services.llm_clients import (
    clone_llm_client,
    create_llm_client,
    delete_llm_client,
    rename_llm_client,
    restore_llm_client,
    share_llm_client,
)
from automate_api.services.providers import delete_provider
from automate_api.services.retention import prune_llm_clients
from tests.automate_api.services.together import together
from tests.factories import make_actor, make_endpoint, make_llm_client, make_provider, make_user

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 8


@pytest.fixture
def staff() -> Actor:
    return make_actor(is_staff=True)


def kinds(results: list[Any]) -> Counter[type]:
    """How many ended in what."""
    return Counter(type(result) for result in results)


def times(count: int, call: Callable[[], Any]) -> list[Any]:
    """What came of as many calls at once."""
    return together(*[call] * count)


def test_of_clones_at_once_with_one_name_one_is_made() -> None:
    ann = make_actor()
    client = make_llm_client(shared_with_tenant=True)
    made = times(8, lambda: clone_llm_client(client, actor=ann, name="Mine"))
    assert kinds(made) == {LLMClient: 1, Conflict: 7}
    assert LLMClient.objects.owned_by(ann).count() == 1


def test_clones_at_once_by_different_people_get_a_slug_each() -> None:
    client = make_llm_client(shared_with_tenant=True)
    people = [make_actor() for _person in range(8)]
    made = together(*[lambda actor=actor: clone_llm_client(client, actor=actor, name="Mine") for actor in people])
    assert kinds(made) == {LLMClient: 8}
    assert len({copy.slug for copy in made}) == 8


def test_of_renames_at_once_to_one_name_one_is_done() -> None:
    ann = make_actor()
    clients = [make_llm_client(owner=ann.user) for _client in range(8)]
    made = together(*[lambda row=row: rename_llm_client(row, actor=ann, name="Mine") for row in clients])
    assert kinds(made) == {LLMClient: 1, Conflict: 7}
    assert LLMClient.objects.filter(name="Mine").count() == 1


def test_a_rename_a_creation_and_a_restoration_of_one_name() -> None:
    ann, provider = make_actor(), make_provider()
    for number in range(ROUNDS):
        name = f"Mine {number}"
        deleted = create_llm_client(actor=ann, name=name, slug=f"was-{number}", provider=provider)
        delete_llm_client(deleted, actor=ann)
        other = make_llm_client(owner=ann.user)
        made = together(
            lambda other=other, name=name: rename_llm_client(other, actor=ann, name=name),
            lambda name=name: create_llm_client(actor=ann, name=name, provider=provider),
            lambda deleted=deleted: restore_llm_client(deleted, actor=ann),
        )
        assert kinds(made) == {LLMClient: 1, Conflict: 2}
        assert LLMClient.objects.owned_by(ann).filter(name=name).count() == 1


def test_deleted_and_restored_by_many_at_once(staff: Actor) -> None:
    client = make_llm_client()
    for _round in range(ROUNDS):
        assert kinds(times(4, lambda: delete_llm_client(client, actor=staff))) == {type(None): 1, NotFound: 3}
        assert kinds(times(4, lambda: restore_llm_client(client, actor=staff))) == {LLMClient: 1, NotFound: 3}


@pytest.mark.parametrize("change", [False, True])
def test_deleted_while_an_endpoint_is_given_it(staff: Actor, change: bool) -> None:
    """Either the endpoint has it and it is alive, or it is deleted and no endpoint has it."""
    other = make_llm_client()
    for _round in range(ROUNDS):
        client = make_llm_client()
        endpoint = make_endpoint(llm_client=other)

        def use(client: LLMClient = client, endpoint: Endpoint = endpoint) -> Endpoint:
            if change:
                return update_endpoint(endpoint, llm_client=client)
            return create_endpoint(actor=staff, name="Ask", task_types=["llm.chat"], llm_client=client)

        deletion, use_of_it = together(lambda client=client: delete_llm_client(client, actor=staff), use)
        is_deleted = LLMClient.objects.get(pk=client.pk).deleted_at is not None
        is_used = Endpoint.objects.filter(llm_client=client).exists()
        assert is_deleted is not is_used
        assert kinds([deletion, use_of_it]) == (
            {type(None): 1, InvalidInput: 1} if is_deleted else {Conflict: 1, Endpoint: 1}
        )


def test_shared_by_many_at_once(staff: Actor) -> None:
    """What is stored is what one of them said, whole."""
    client = make_llm_client()
    choices = [[make_user(), make_user()] for _choice in range(6)]
    made = together(*[lambda users=users: share_llm_client(client, actor=staff, users=users) for users in choices])
    assert kinds(made) == {LLMClient: 6}
    stored = set(LLMClientShare.objects.values_list("user", flat=True))
    assert stored in [{user.pk for user in users} for users in choices]


def test_restored_while_its_provider_is_deleted(staff: Actor) -> None:
    for _round in range(ROUNDS):
        client = make_llm_client()
        delete_llm_client(client, actor=staff)
        restored, deleted = together(
            lambda client=client: restore_llm_client(client, actor=staff),
            lambda client=client: delete_provider(client.provider),
        )
        is_there = LLMClient.objects.filter(pk=client.pk, deleted_at=None).exists()
        assert Provider.objects.filter(pk=client.provider_id).exists() is is_there
        assert kinds([restored, deleted]) == ({LLMClient: 1, Conflict: 1} if is_there else {NotFound: 1, type(None): 1})


def test_restored_while_it_is_pruned(staff: Actor, settings: Any) -> None:
    """With a retention that has run out for one of them only, as at the very moment it does."""
    settings.AUTOMATE_API_LLM_CLIENT_RETENTION = 0.05
    for _round in range(ROUNDS):
        client = make_llm_client()
        delete_llm_client(client, actor=staff)
        restored, _pruned = together(
            lambda client=client: restore_llm_client(client, actor=staff), lambda: list(prune_llm_clients())
        )
        assert isinstance(restored, LLMClient | AutomateError)
        rows = LLMClient.objects.filter(pk=client.pk)
        assert rows.filter(deleted_at=None).exists() is isinstance(restored, LLMClient)
        LLMClient.objects.all().delete()
