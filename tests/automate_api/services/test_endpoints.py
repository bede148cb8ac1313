"""Endpoints: what they may be made of, and who may run them."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from automate_api.exceptions import Conflict, InvalidInput, NotFound
from automate_api.models import Actor, Endpoint, EndpointGrant
from automate_api.services.endpoints import (
    create_endpoint,
    delete_endpoint,
    find_endpoint,
    find_runnable,
    update_endpoint,
)
from tests.factories import make_actor, make_endpoint, make_llm_client

pytestmark = pytest.mark.django_db


def create(**fields: Any) -> Endpoint:
    given = {"name": "Ask", "task_types": ["llm.chat"], "llm_client": make_llm_client(), **fields}
    return create_endpoint(actor=make_actor(is_staff=True), **given)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"task_types": []}, "task_types"),
        ({"task_types": ["no.such"]}, "task_types"),
        ({"task_types": ["event.handle"]}, "task_types"),
        ({"task_types": ["llm.chat", "llm.chat"]}, "task_types"),
        ({"llm_client": None}, "llm_client"),
        ({"config": {"template": "{{ x }}"}}, "config.template"),
        ({"config": {"response_schema": {"type": 7}}}, "config.response_schema.type"),
        ({"input_schema": {"type": "nonsense"}}, "input_schema.type"),
        ({"input_schema": {"$ref": "https://elsewhere.example/schema.json"}}, "input_schema"),
        ({"input_schema": {"properties": {"a": {"$ref": "file:///etc/passwd"}}}}, "input_schema"),
        ({"default_params": {"base_url": "http://127.0.0.1"}}, "default_params.base_url"),
        ({"default_params": {"temperature": 9}}, "default_params.temperature"),
        ({"rate_limit": "a lot"}, "rate_limit"),
        ({"rate_limit": "0/h"}, "rate_limit"),
        ({"slug": "123"}, "slug"),
        ({"slug": "not a slug"}, "slug"),
    ],
)
def test_what_does_not_fit_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(**fields)
    assert {error.field for error in caught.value.errors} == {field}
    assert Endpoint.objects.count() == 0


def test_a_change_counts_the_version_up() -> None:
    endpoint = create()
    assert update_endpoint(endpoint, name="Ask more").version == 2


def test_a_taken_slug_is_a_conflict() -> None:
    create(slug="ask")
    with pytest.raises(Conflict):
        create(slug="ask")


def test_it_is_found_by_id_and_by_slug() -> None:
    endpoint = create(slug="ask")
    rows = Endpoint.objects.all()
    assert find_endpoint(rows, str(endpoint.pk)) == endpoint == find_endpoint(rows, "ask")


@pytest.mark.parametrize("key", ["0", "9" * 30, "nope", "a\x00b", "'; --", "²", "../x", ""])
def test_a_strange_key_finds_nothing(key: str) -> None:
    with pytest.raises(NotFound):
        find_endpoint(Endpoint.objects.all(), key)


def test_its_access_says_who_runs_it() -> None:
    ann, bob, staff = make_actor(), make_actor(), make_actor(is_staff=True)
    group = Group.objects.create(name="team")
    bob.user.groups.add(group)
    everybody = create(slug="everybody")
    closed = create(slug="closed", access={"members": False})
    for_ann = create(slug="for-ann", access={"members": False, "users": [ann.user]})
    for_team = create(slug="for-team", access={"members": False, "groups": [group]})
    off = create(slug="off", enabled=False)
    assert set(Endpoint.objects.readable_by(ann)) == {everybody, for_ann}
    assert set(Endpoint.objects.readable_by(bob)) == {everybody, for_team}
    assert set(Endpoint.objects.readable_by(staff)) == {everybody, closed, for_ann, for_team, off}
    assert set(Endpoint.objects.readable_by(make_actor(tenant_id="other", is_staff=True))) == set()
    assert for_ann.access == {"members": False, "users": [ann.user.pk], "groups": []}


def test_a_row_admits_whom_the_queryset_shows_it_to() -> None:
    ann, bob, staff, stranger = make_actor(), make_actor(), make_actor(is_staff=True), make_actor(tenant_id="other")
    group = Group.objects.create(name="team")
    bob.user.groups.add(group)
    create(slug="everybody")
    create(slug="closed", access={"members": False})
    create(slug="for-both", access={"members": False, "users": [ann.user], "groups": [group]})
    create(slug="off", enabled=False, access={"users": [ann.user]})
    for actor in (ann, bob, staff, stranger, Actor(user=staff.user, tenant_id=None)):
        for endpoint in Endpoint.objects.all():
            assert endpoint.admits(actor) == (endpoint in Endpoint.objects.readable_by(actor))


def test_one_is_found_to_run_by_whom_it_admits() -> None:
    ann, bob = make_actor(), make_actor()
    endpoint = create(slug="for-ann", access={"members": False, "users": [ann.user]})
    assert find_runnable("for-ann", actor=ann) == find_runnable(str(endpoint.pk), actor=ann) == endpoint
    for key, actor in (("for-ann", bob), ("another", ann), ("no slug", ann), ("0", ann)):
        with pytest.raises(NotFound):
            find_runnable(key, actor=actor)


def test_a_change_of_access_replaces_the_grants() -> None:
    ann, bob = make_actor(), make_actor()
    endpoint = create(access={"members": False, "users": [ann.user]})
    update_endpoint(endpoint, access={"users": [bob.user]})
    assert set(Endpoint.objects.readable_by(ann)) == set()
    assert set(Endpoint.objects.readable_by(bob)) == {endpoint}
    update_endpoint(endpoint, name="Only the name")
    assert EndpointGrant.objects.count() == 1


def test_a_change_of_its_users_leaves_the_groups() -> None:
    group = Group.objects.create(name="team")
    endpoint = create(access={"members": False, "groups": [group]})
    changed = update_endpoint(endpoint, access={"users": [make_actor().user]})
    assert changed.access["groups"] == [group.pk]
    assert len(changed.access["users"]) == 1


def test_deleting_one_keeps_its_executions() -> None:
    endpoint = make_endpoint()
    row = endpoint.executions.create(
        tenant_id="default", endpoint_version=1, task_type="llm.chat", input="x", correlation_id="c"
    )
    delete_endpoint(endpoint)
    row.refresh_from_db()
    assert row.endpoint is None
