"""What is proved of every operation that has a policy. Each check raises AssertionError where a promise is broken."""

import copy
import datetime
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from tests.walk.forms import wrong_fields
from tests.walk.operations import Operation
from tests.walk.policy import Policy
from tests.walk.snapshot import snapshot
from tests.walk.walk import Walk, own_hidden_absent, require, require_same
from tests.walk.world import AWAY, Caller, World


def whoever_may_do_it_does_it(walk: Walk) -> None:
    """The positive control: without it the refusals below would prove nothing."""
    owner = walk.owner
    require(walk.ask(owner, walk.url(owner)), walk.policy.status, f"{owner.name} {walk.operation.key}")


def whoever_is_signed_in_does_it(walk: Walk) -> None:
    owner = walk.owner.in_session()
    require(walk.ask(owner, walk.url(owner)), walk.policy.status, f"{owner.name} {walk.operation.key}")


def every_way_to_name_a_row_of_ones_own_works(walk: Walk) -> None:
    for keyword, place in walk.policy.other_names():
        url = walk.url(walk.owner, **{keyword: walk.world.own(place, walk.owner)})
        require(walk.ask(walk.owner, url), walk.policy.status, f"{walk.operation.key} by {place}")


def nobody_is_told_to_sign_in(walk: Walk) -> None:
    """And so is whoever has a key that is unknown, revoked, expired, or somebody's who has left."""
    nobody = walk.world.nobody
    for what, headers in {"nothing": {}, **_dead_credentials(walk.world)}.items():
        nobody.headers = headers
        with walk.without_effect():
            answers = [walk.ask(nobody, url) for url in own_hidden_absent(walk, walk.owner)]
        for answer in answers:
            require(answer, 401, f"with {what} {walk.operation.key}")
            assert answer.headers.get("WWW-Authenticate"), f"{walk.operation.key}: no challenge"
        require_same(answers, f"{walk.operation.key} with {what}: ids")


def _dead_credentials(world: World) -> dict[str, dict[str, str]]:
    people = {name: Caller(name, world.ann.tenant_id, world.ann.user) for name in ("expired", "revoked")}
    yesterday = timezone.now() - datetime.timedelta(days=1)
    for name, column in (("expired", "expires_at"), ("revoked", "revoked_at")):
        type(people[name].key).objects.filter(pk=people[name].key.pk).update(**{column: yesterday})
    unknown = f"aak_{UUID(int=0).hex}_{'x' * 43}"
    return {
        "an unknown key": {"Authorization": f"Bearer {unknown}"},
        "a malformed key": {"X-API-Key": "x"},
        **{f"an {name} key": caller.headers for name, caller in people.items()},
    }


def a_key_that_only_reads_changes_nothing(walk: Walk) -> None:
    reader = walk.owner.narrowed(f"{walk.policy.resource or 'endpoints'}:read")
    if walk.operation.is_safe or walk.policy.access == "read":
        require(walk.ask(reader, walk.url(reader)), walk.policy.status, f"read-only {walk.operation.key}")
        return
    with walk.without_effect():
        answers = [walk.ask(reader, url) for url in own_hidden_absent(walk, walk.owner)]
    for answer in answers:
        require(answer, 403, f"read-only {walk.operation.key}")
    require_same(answers, f"{walk.operation.key} with a read-only key: ids")


def a_key_needs_exactly_its_scope(walk: Walk) -> None:
    others = {f"{walk.policy.resource}:{access}" for access in ("read", "write", "run")} - {walk.policy.scope}
    stranger = walk.owner.narrowed(*others, f"elsewhere:{walk.policy.access}", "Admin:GetModels")
    with walk.without_effect():
        require(walk.ask(stranger, walk.url(walk.owner)), 403, f"{walk.operation.key} without its scope")
    allowed = walk.owner.narrowed(str(walk.policy.scope))
    if "scopes" in (walk.body(allowed) or {}):
        # A key makes no key that may do more than itself.
        allowed = walk.owner.narrowed(str(walk.policy.scope), "endpoints:run")
    if walk.policy.path.get("pk") == ("api_key",):
        allowed = walk.owner.narrowed(str(walk.policy.scope), "endpoints:run")
    require(walk.ask(allowed, walk.url(walk.owner)), walk.policy.status, f"{walk.operation.key} with its scope")


def what_is_for_staff_is_refused_to_members(walk: Walk) -> None:
    """Whatever id they name: they learn nothing of what there is."""
    for member in (walk.world.ann, walk.world.bob.in_session()):
        with walk.without_effect():
            answers = [walk.ask(member, url, body=walk.body(walk.owner)) for url in own_hidden_absent(walk, walk.owner)]
        for answer in answers:
            require(answer, 403, f"{member.name} {walk.operation.key}")
        require_same(answers, f"{walk.operation.key} as a member: ids")


def a_hidden_row_is_like_no_row(walk: Walk) -> None:
    """Another tenant's, or another member's: by each keyword of the path, the others naming one's own."""
    for caller in walk.callers:
        if not walk.may(caller):
            continue
        for keyword, place in walk.places():
            for value in walk.world.hidden(place, caller):
                absent = walk.world.absent(place, value)
                with walk.without_effect():
                    answers = [walk.ask(caller, walk.url(caller, **{keyword: key})) for key in (value, absent)]
                what = f"{caller.name} {walk.operation.key} {keyword}={value} or {absent}"
                for answer in answers:
                    require(answer, walk.policy.hidden, what)
                require_same(answers, what)


def a_row_is_found_below_its_own_parent_only(walk: Walk) -> None:
    """A child of one's own, asked for below another parent of one's own, is like no child."""
    *parents, child = walk.policy.path
    owner, world = walk.owner, walk.world
    for parent in parents:
        place = walk.policy.path[parent][0]
        right = world.own(place, owner)
        wrong = [row.id for row in world.of(place) if row.is_visible(owner) and row.id != right]
        assert wrong, f"The world has but one {place} that {owner.name} may see."
        absent = world.absent(walk.policy.path[child][0], world.own(walk.policy.path[child][0], owner))
        for other in wrong:
            with walk.without_effect():
                answers = [walk.ask(owner, walk.url(owner, **{parent: other}))]
                answers.append(walk.ask(owner, walk.url(owner, **{parent: other, child: absent})))
            require(answers[0], 404, f"{walk.operation.key} below another {parent}")
            require_same(answers, f"{walk.operation.key} below another {parent}")


def whoever_only_reads_a_row_does_not_change_it(walk: Walk) -> None:
    bob = walk.world.bob
    for keyword, place in walk.places():
        url = walk.url(bob, **{keyword: walk.world.own(place, bob)})
        with walk.without_effect():
            require(walk.ask(bob, url), walk.policy.reader, f"{bob.name} {walk.operation.key}")


def a_hidden_id_in_a_body_is_like_no_id(walk: Walk) -> None:
    for caller in (walk.owner, walk.owner.in_session()):
        for path, place in walk.policy.body_ids.items():
            hidden = walk.world.hidden(place, caller)
            assert hidden, f"No {place} is hidden from {caller.name}."
            for value in hidden:
                absent = walk.world.absent(place, value)
                bodies = [_with(walk.body(caller), path, key) for key in (value, absent)]
                with walk.without_effect():
                    answers = [walk.ask(caller, walk.url(caller), body=body) for body in bodies]
                what = f"{walk.operation.key} {path}={value} or {absent}"
                for answer in answers:
                    require(answer, walk.policy.absent, what)
                    if walk.policy.absent == 400:
                        named = wrong_fields(answer.path, answer.data)
                        assert named == {path.partition(".")[0].removesuffix("[]")}, f"{what}: {answer}"
                require_same(answers, what)


def an_own_id_in_a_body_is_taken(walk: Walk) -> None:
    for path, place in walk.policy.body_ids.items():
        body = _with(walk.body(walk.owner), path, walk.world.own(place, walk.owner))
        answer = walk.ask(walk.owner, walk.url(walk.owner), body=body | ({"name": path} if "name" in body else {}))
        require(answer, walk.policy.status, f"{walk.operation.key} {path}")


def _with(body: Any, path: str, value: Any) -> Any:
    """`body` with `value` at the dotted `path`; `[]` at its end makes it the only one of a list."""
    changed = copy.deepcopy(body)
    *outer, last = path.split(".")
    inner = changed
    for name in outer:
        inner = inner.setdefault(name, {})
    inner[last.removesuffix("[]")] = [value] if last.endswith("[]") else value
    return changed


def what_a_caller_may_not_say_is_not_heard(walk: Walk) -> None:
    """Ids, owners and tenants in a body, that the operation does not take: nothing of another tenant is touched."""
    world, owner = walk.world, walk.owner
    foreign = {"tenant_id": AWAY, "tenant": AWAY, "id": world.hidden("provider", owner)[0], "version": 99}
    foreign["pk"] = foreign["id"]
    people = dict.fromkeys(("owner", "owner_id", "user", "user_id", "created_by"), world.stranger.user.pk)
    added = {name: value for name, value in {**foreign, **people}.items() if name not in walk.policy.body_ids}
    before = _of_tenant(AWAY)
    answer = walk.ask(owner, walk.url(owner), body=walk.body(owner) | added)
    assert answer.status in {walk.policy.status, 400}, f"{walk.operation.key}: {answer}"
    assert _of_tenant(AWAY) == before, f"{walk.operation.key} reached another tenant"
    mine = [row for rows in snapshot().values() for row in rows if row.get("tenant_id") == owner.tenant_id]
    names = ("owner_id", "user_id")
    assert world.stranger.user.pk not in {row.get(name) for row in mine for name in names}, walk.operation.key


def _of_tenant(tenant_id: str) -> list[Any]:
    return [row for rows in snapshot().values() for row in rows if row.get("tenant_id") == tenant_id]


def a_list_shows_what_its_caller_may_see(walk: Walk) -> None:
    for caller in [*walk.world.everybody, walk.owner.in_session()]:
        if not walk.may(caller):
            continue
        with walk.without_effect():
            answer = walk.ask(caller, walk.url(caller), query="?page_size=200" if walk.policy.filters else "")
        require(answer, walk.policy.status, f"{caller.name} {walk.operation.key}")
        rows = answer.data if isinstance(answer.data, list) else answer.data[walk.policy.rows]
        shown = {str(walk.policy.listed_id(row)) for row in rows}
        known = walk.world.of(walk.policy.lists)
        visible = {str(row.id) for row in known if row.is_visible(caller)}
        assert shown & {str(row.id) for row in known} == visible, f"{caller.name} {walk.operation.key}"


def a_hidden_id_in_a_query_is_like_no_id(walk: Walk) -> None:
    for caller in [*walk.world.everybody, walk.owner.in_session()]:
        if not walk.may(caller):
            continue
        for name, place in walk.policy.filters.items():
            for value in walk.world.hidden(place, caller):
                absent = walk.world.absent(place, value)
                with walk.without_effect():
                    answers = [walk.ask(caller, walk.url(caller), query=f"?{name}={key}") for key in (value, absent)]
                what = f"{caller.name} {walk.operation.key}?{name}={value} or {absent}"
                require(answers[0], 200, what)
                assert answers[0].data["results"] == [], what
                require_same(answers, what)


def an_own_id_in_a_query_finds(walk: Walk) -> None:
    for name, place in walk.policy.filters.items():
        kind, _dot, attribute = place.partition(".")
        values = [
            row.names[attribute] if attribute else row.id for row in walk.world.of(kind) if row.is_visible(walk.owner)
        ]
        found = [
            walk.ask(walk.owner, walk.url(walk.owner), query=f"?{name}={value}").data["results"] for value in values
        ]
        assert any(found), f"{walk.operation.key}?{name}= finds nothing"


def what_is_sent_again_is_answered_again(walk: Walk) -> None:
    """By the same caller with the same idempotency key, and with no effect."""
    owner, key = walk.owner, {"Idempotency-Key": "walk"}
    url, body = walk.url(owner), walk.body(owner)
    first = walk.ask(owner, url, body=body, **key)
    require(first, walk.policy.status, f"{walk.operation.key} with an idempotency key")
    with walk.without_effect():
        again = walk.ask(owner, url, body=body, **key)
    assert (again.status, again.headers.get("Idempotent-Replayed")) == (first.status, "true"), str(again)
    assert first.content.endswith(again.content), f"{walk.operation.key} answers again with something else: {again}"


def an_idempotency_key_belongs_to_its_caller(walk: Walk) -> None:
    world, key = walk.world, {"Idempotency-Key": "walk"}
    require(walk.ask(walk.owner, walk.url(walk.owner), **key), walk.policy.status, f"{walk.operation.key} first")
    other = world.stranger if walk.policy.role == "staff" else world.guest
    expected = {other: walk.policy.status, world.nobody: 401}
    if walk.policy.role == "staff":
        expected[world.bob] = 403
    for other, status in expected.items():
        namer = other if status < 400 else walk.owner
        asked = walk.ask(other, walk.url(namer), body=walk.body(namer), **key)
        require(asked, status, f"{other.name} {walk.operation.key} with somebody's idempotency key")
        assert "Idempotent-Replayed" not in asked.headers, f"{other.name} {walk.operation.key} gets somebody's answer"


Check = Callable[[Walk], None]

#: Each check, and which operations have something for it to prove.
CHECKS: Mapping[Check, Callable[[Operation, Policy], object]] = {
    whoever_may_do_it_does_it: lambda operation, policy: True,
    whoever_is_signed_in_does_it: lambda operation, policy: policy.is_usual,
    every_way_to_name_a_row_of_ones_own_works: lambda operation, policy: any(
        places[1:] for places in policy.path.values()
    ),
    nobody_is_told_to_sign_in: lambda operation, policy: not policy.is_public,
    a_key_that_only_reads_changes_nothing: lambda operation, policy: policy.is_usual,
    a_key_needs_exactly_its_scope: lambda operation, policy: policy.resource,
    what_is_for_staff_is_refused_to_members: lambda operation, policy: policy.is_usual and policy.role == "staff",
    a_hidden_row_is_like_no_row: lambda operation, policy: policy.path,
    a_row_is_found_below_its_own_parent_only: lambda operation, policy: len(policy.path) > 1,
    whoever_only_reads_a_row_does_not_change_it: lambda operation, policy: policy.reader,
    a_hidden_id_in_a_body_is_like_no_id: lambda operation, policy: policy.body_ids,
    an_own_id_in_a_body_is_taken: lambda operation, policy: policy.body_ids,
    what_a_caller_may_not_say_is_not_heard: lambda operation, policy: policy.body and not policy.is_public,
    a_list_shows_what_its_caller_may_see: lambda operation, policy: policy.lists,
    a_hidden_id_in_a_query_is_like_no_id: lambda operation, policy: policy.filters,
    an_own_id_in_a_query_finds: lambda operation, policy: policy.filters,
    what_is_sent_again_is_answered_again: lambda operation, policy: policy.takes_keys and operation.method == "POST",
    an_idempotency_key_belongs_to_its_caller: lambda operation, policy: (
        policy.takes_keys and operation.method == "POST"
    ),
}
