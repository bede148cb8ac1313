"""The walk itself: it passes what keeps every promise, and finds each way to break one."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from tests.upstream import FakeUpstream
from tests.walk import checks, leaky
from tests.walk.checks import CHECKS, Check
from tests.walk.operations import operations
from tests.walk.policy import Policy
from tests.walk.test_walk import gaps
from tests.walk.walk import Walk
from tests.walk.world import HOME, Caller, World


def a_body(world: World, caller: Caller) -> dict[str, Any]:
    return {"name": "New", "provider": world.own("provider", caller)}


def policies(view: str, **other: Any) -> dict[str, Policy]:
    """What is promised of one of the views."""
    given: dict[str, Any] = {"resource": "sound", **other}
    ids = {"body": a_body, "body_ids": {"provider": "provider"}}
    detail, child = {"pk": ("llm_client",)}, {"provider_pk": ("provider",), "pk": ("llm_client",)}
    return {
        f"{view}-list GET": Policy(**given, lists="llm_client", filters={"provider": "provider"}),
        f"{view}-list POST": Policy(**given, access="write", status=201, **ids),
        f"{view}-detail GET": Policy(**given, path=detail),
        f"{view}-detail PATCH": Policy(**given, access="write", reader=403, path=detail, **ids),
        f"{view}-child GET": Policy(**given, path=child),
    }


@pytest.fixture
def world(world: World, settings: Any) -> World:
    settings.ROOT_URLCONF = leaky.__name__
    # The route of a child names the parent that one's own children have.
    parent = world.own("provider", world.ann)
    leaky.LLMClient.objects.filter(tenant_id=HOME).update(provider=parent)
    return world


@contextmanager
def undone() -> Iterator[None]:
    """What is stored inside is gone afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def broken(view: str, world: World, upstream: FakeUpstream, tried: Collection[Check], **other: Any) -> set[str]:
    """The names of those of `tried` that fail for one of the view's operations."""
    table = policies(view, **other)
    found = [operation for operation in operations(leaky, {"tests"}) if operation.key in table]
    assert len(found) == len(table)
    failed = set()
    for operation in found:
        policy = table[operation.key]
        for check in (check for check in tried if CHECKS[check](operation, policy)):
            try:
                with undone():
                    check(Walk(operation, policy, world, lambda: len(upstream.requests)))
            except AssertionError:
                failed.add(check.__name__)
    return failed


def test_what_keeps_its_promises_passes(world: World, upstream: FakeUpstream) -> None:
    assert broken("sound", world, upstream, CHECKS) == set()


@pytest.mark.parametrize(
    ("view", "check"),
    [
        ("foranybody", checks.nobody_is_told_to_sign_in),
        ("foranykey", checks.a_key_that_only_reads_changes_nothing),
        ("foranykey", checks.a_key_needs_exactly_its_scope),
        ("forreaders", checks.whoever_only_reads_a_row_does_not_change_it),
        ("telling", checks.a_hidden_row_is_like_no_row),
        ("repeating", checks.a_hidden_row_is_like_no_row),
        ("hinting", checks.a_hidden_row_is_like_no_row),
        ("hasty", checks.a_hidden_row_is_like_no_row),
        ("foreverytenant", checks.a_list_shows_what_its_caller_may_see),
        ("lookingup", checks.a_hidden_id_in_a_query_is_like_no_id),
        ("trusting", checks.a_hidden_id_in_a_body_is_like_no_id),
        ("obeying", checks.what_a_caller_may_not_say_is_not_heard),
        ("careless", checks.a_row_is_found_below_its_own_parent_only),
    ],
)
def test_a_broken_promise_is_found(view: str, check: Check, world: World, upstream: FakeUpstream) -> None:
    assert broken(view, world, upstream, [check]) == {check.__name__}


def test_staff_that_is_not_asked_for_is_found(world: World, upstream: FakeUpstream) -> None:
    check = checks.what_is_for_staff_is_refused_to_members
    assert broken("forstaff", world, upstream, [check], role="staff") == {check.__name__}


def test_a_view_without_a_policy_is_found_and_so_is_a_policy_without_a_view() -> None:
    found = operations(leaky, {"tests"})
    table = {key: policy for view in leaky.VIEWS for key, policy in policies(view).items()}
    assert gaps(found, table) == ([], [], [])
    gone, wrong = table.pop("sound-list GET"), "sound-child GET"
    table |= {"gone-list GET": gone, wrong: gone}
    assert gaps(found, table) == (["sound-list GET"], ["gone-list GET"], [wrong])
