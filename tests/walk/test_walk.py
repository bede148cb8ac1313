"""Every operation of the packages, by everybody, with every id wherever an id may stand."""

from collections.abc import Mapping

import pytest

from tests.upstream import FakeUpstream
from tests.walk.checks import CHECKS, Check
from tests.walk.operations import Operation, operations
from tests.walk.policy import POLICIES, Policy
from tests.walk.walk import Walk
from tests.walk.world import World

OPERATIONS = operations()


def gaps(found: list[Operation], policies: Mapping[str, Policy]) -> tuple[list[str], list[str], list[str]]:
    """Operations without a policy, policies without an operation, and operations whose policy has other keywords."""
    keys = [operation.key for operation in found]
    differing = [
        operation.key
        for operation in found
        if operation.key in policies and policies[operation.key].keywords != operation.keywords
    ]
    return sorted(set(keys) - set(policies)), sorted(set(policies) - set(keys)), differing


def test_every_operation_has_a_policy_and_every_policy_an_operation() -> None:
    without_policy, without_operation, differing = gaps(OPERATIONS, POLICIES)
    assert not without_policy, "Say in tests/walk/policy.py who may do this."
    assert not without_operation, "There is no such route: take its policy out of tests/walk/policy.py."
    assert not differing, "The route has other keywords than its policy in tests/walk/policy.py."
    assert len({operation.key for operation in OPERATIONS}) == len(OPERATIONS), "Two routes have one name."


@pytest.mark.parametrize(
    ("operation", "check"),
    [
        pytest.param(found, check, id=f"{found.key}-{check.__name__}")
        for found in OPERATIONS
        for check, applies in CHECKS.items()
        if found.key in POLICIES and applies(found, POLICIES[found.key])
    ],
)
def test_an_operation_keeps_its_promises(
    operation: Operation, check: Check, world: World, upstream: FakeUpstream
) -> None:
    check(Walk(operation, POLICIES[operation.key], world, lambda: len(upstream.requests)))


# Those of other protocols have tests of their own.
USUAL = [found for found in OPERATIONS if found.key in POLICIES and POLICIES[found.key].is_usual]


@pytest.mark.parametrize("route", sorted({operation.name for operation in USUAL}))
def test_a_method_that_a_route_has_not_is_405_and_does_nothing(
    route: str, world: World, upstream: FakeUpstream
) -> None:
    known = {operation.method: operation for operation in OPERATIONS if operation.name == route}
    walk = Walk(next(iter(known.values())), POLICIES[f"{route} {next(iter(known))}"], world, lambda: 0)
    url = walk.url(walk.owner).partition("?")[0]
    for method in {"OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - set(known):
        with walk.without_effect():
            assert world.nobody.send(method, url, b"{}").status == 401
            answer = world.staff.send(method, url, b"{}")
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(", ")) >= set(known)


@pytest.mark.parametrize("route", sorted({found.name for found in OPERATIONS if found.method == "GET"}))
def test_head_is_get_without_a_body(route: str, world: World) -> None:
    operation = next(found for found in OPERATIONS if found.key == f"{route} GET")
    walk = Walk(operation, POLICIES[operation.key], world, lambda: 0)
    url, staff = walk.url(world.staff), walk.signed(world.staff)
    with walk.without_effect():
        assert world.nobody.send("HEAD", url).status == 401
        head, got = (staff.send(method, url) for method in ("HEAD", "GET"))
    assert (head.status, head.headers.keys(), head.content) == (got.status, got.headers.keys(), b"")
