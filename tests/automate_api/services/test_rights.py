"""Who may do what with an LLM client: the table of the code, that of the documentation, and what routes answer."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from rest_framework.test import APIClient

from automate_api.models import LLMClient
from automate_api.services.llm_clients import delete_llm_client, share_llm_client
from automate_api.services.rights import LLM_CLIENT_RIGHTS, Right
from tests.factories import make_actor, make_llm_client, make_provider, make_user
from tests.guides import sections, table
from tests.hosts.shop.people import with_key
from tests.upstream import FakeUpstream

pytestmark = pytest.mark.django_db

#: How each verb is asked for over HTTP: method, path after the id, body, status of success, and the scope of a key.
ASKED: Mapping[str, tuple[str, str, Any, int, str]] = {
    "read": ("get", "", None, 200, "read"),
    "change": ("patch", "", {"system_prompt": "Rhyme."}, 200, "write"),
    "delete": ("delete", "", None, 204, "write"),
    "clone": ("post", "clone/", {"name": "Copy"}, 201, "write"),
    "rename": ("post", "rename/", {"name": "Renamed"}, 200, "write"),
    "share": ("put", "sharing/", {"tenant": False, "users": [], "groups": []}, 200, "write"),
    "restore": ("post", "restore/", None, 200, "write"),
    "chat": ("post", "chat/", {"input": "Hello"}, 200, "run"),
}

#: What each role is to each client: reader, manager, or None, for whom there is no such client.
ROLES: Mapping[str, Mapping[str, Right | None]] = {
    "owner": dict.fromkeys(("private", "to user", "to group", "to tenant", "deleted"), Right.MANAGER),
    "staff": dict.fromkeys(("private", "to user", "to group", "to tenant", "deleted"), Right.MANAGER),
    "named colleague": {"to user": Right.READER, "to tenant": Right.READER},
    "colleague in the group": {"to group": Right.READER, "to tenant": Right.READER},
    "other colleague": {"to tenant": Right.READER},
    "other tenant's staff": {},
    "other tenant's member": {},
    "owner in another tenant": {},
}
CLIENTS = ("private", "to user", "to group", "to tenant", "deleted", "foreign", "absent")

_NEEDS = {
    "read": Right.READER,
    "clone": Right.READER,
    "chat": Right.READER,
    "change": Right.MANAGER,
    "rename": Right.MANAGER,
    "share": Right.MANAGER,
    "delete": Right.MANAGER,
    "restore": Right.MANAGER,
}


class Team:
    """Everybody, and one client of each kind, all but the foreign one of the same owner."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.group = Group.objects.create(name="team")
        self.owner, self.named, in_group = make_user(), make_user(), make_user()
        in_group.groups.add(self.group)
        self.people: dict[str, tuple[Any, str]] = {
            "owner": (self.owner, "acme"),
            "staff": (make_user(is_staff=True), "acme"),
            "named colleague": (self.named, "acme"),
            "colleague in the group": (in_group, "acme"),
            "other colleague": (make_user(), "acme"),
            "other tenant's staff": (make_user(is_staff=True), "globex"),
            "other tenant's member": (make_user(), "globex"),
            "owner in another tenant": (self.owner, "globex"),
        }
        self.provider = make_provider(tenant_id="acme", base_url=upstream.url)

    def caller(self, role: str, scope: str = "*") -> APIClient:
        user, tenant_id = self.people[role]
        return with_key(user=user, tenant_id=tenant_id, scopes=[scope])

    def client(self, kind: str) -> int:
        """The id of a client of this kind, made for the purpose."""
        if kind == "absent":
            return 2**40
        if kind == "foreign":
            return int(make_llm_client(tenant_id="initech", shared_with_tenant=True).pk)
        client = make_llm_client(tenant_id="acme", owner=self.owner, provider=self.provider, model="chat")
        staff = make_actor(tenant_id="acme", is_staff=True)
        grants: dict[str, Any] = {
            "to user": {"users": [self.named]},
            "to group": {"groups": [self.group]},
            "to tenant": {"tenant": True},
            # It was everybody's.
            "deleted": {"tenant": True, "users": [self.named], "groups": [self.group]},
        }
        share_llm_client(client, actor=staff, **grants.get(kind, {}))
        if kind == "deleted":
            delete_llm_client(client, actor=staff)
        return int(client.pk)


@pytest.fixture
def team(upstream: FakeUpstream) -> Team:
    return Team(upstream)


def ask(caller: APIClient, verb: str, key: int) -> Any:
    method, path, body, _status, _scope = ASKED[verb]
    return getattr(caller, method)(f"/api/v1/llm-clients/{key}/{path}", body, format="json")


def expected(role: str, verb: str, kind: str) -> int:
    """What the table promises."""
    right = ROLES[role].get(kind)
    is_there = right is not None and (kind == "deleted") is (verb == "restore")
    if not is_there:
        return 404
    return ASKED[verb][3] if right is Right.MANAGER or _NEEDS[verb] is Right.READER else 403


def untouched(ask: Callable[[], Any]) -> Any:
    """What comes of `ask`, which changes no LLM client and makes none."""
    before = list(LLMClient.objects.order_by("pk").values())
    answer = ask()
    assert list(LLMClient.objects.order_by("pk").values()) == before
    return answer


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", ASKED)
def test_the_table_holds_over_http(team: Team, upstream: FakeUpstream, role: str, verb: str) -> None:
    caller = team.caller(role)
    for kind in CLIENTS:
        key, status = team.client(kind), expected(role, verb, kind)
        asked = len(upstream.requests)
        answer = ask(caller, verb, key) if status < 400 else untouched(lambda key=key: ask(caller, verb, key))
        assert answer.status_code == status, (kind, answer.content)
        if status >= 400:
            assert len(upstream.requests) == asked
        # So that names are free for the next.
        LLMClient.objects.filter(name__in=["Copy", "Renamed"]).delete()


@pytest.mark.parametrize("verb", ASKED)
def test_a_key_needs_the_scope_of_the_verb(team: Team, verb: str) -> None:
    scope = ASKED[verb][4]
    kind = "deleted" if verb == "restore" else "private"
    for other in {"read", "write", "run"} - {scope}:
        caller, key = team.caller("owner", f"llm-clients:{other}"), team.client(kind)
        assert untouched(lambda caller=caller, key=key: ask(caller, verb, key)).status_code == 403
    assert ask(team.caller("owner", f"llm-clients:{scope}"), verb, team.client(kind)).status_code == ASKED[verb][3]


def test_whoever_has_left_does_nothing(team: Team) -> None:
    key, caller = team.client("private"), team.caller("owner")
    get_user_model().objects.filter(pk=team.owner.pk).update(is_active=False)
    for verb in ASKED:
        assert untouched(lambda verb=verb: ask(caller, verb, key)).status_code == 401


def test_the_table_of_the_code_is_the_one_that_is_tried() -> None:
    assert dict(LLM_CLIENT_RIGHTS) == _NEEDS
    assert set(ASKED) == set(LLM_CLIENT_RIGHTS)


def test_the_table_of_the_documentation_is_the_one_of_the_code() -> None:
    rows = table(sections("reference/models.md")["LLMClient"], "verb", "who", "route", "scope")
    assert {row[0]: row[1] for row in rows} == {verb: str(right.value) for verb, right in LLM_CLIENT_RIGHTS.items()}
    for verb, _who, route, scope in rows:
        method, path, _body, _status, access = ASKED[verb]
        assert (route, scope) == (f"{method.upper()} llm-clients/<pk>/{path}", f"llm-clients:{access}")
