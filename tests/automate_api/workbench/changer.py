"""A process that changes LLM clients, users and groups as it is told, and compares lists with the database.

`python -m tests.automate_api.workbench.changer` reads one command a line, as JSON, and answers each with a line.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from random import Random
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - only now can models be imported
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402
from django.db import DatabaseError, transaction  # noqa: E402
from rest_framework.test import APIRequestFactory, force_authenticate  # noqa: E402

from automate_api.exceptions import AutomateError  # noqa: E402
from automate_api.models import Actor, LLMClient, LLMClientShare, Provider  # noqa: E402
from automate_api.services import kept, llm_clients, providers  # noqa: E402
from automate_api.services.freshness import Change, changing  # noqa: E402
from automate_api.workbench import views  # noqa: E402

TENANTS, PEOPLE, FILTERS = ("acme", "globex"), ("ann", "bob", "eve"), ("all", "owned", "shared")

User: Any = get_user_model()


def fill() -> None:
    """Three users, two groups, and a provider in each tenant; the last of the users is staff of both."""
    for name in PEOPLE:
        User.objects.create(username=name, is_staff=name == "eve")
    for name in ("red", "blue"):
        Group.objects.create(name=name)
    for tenant in TENANTS:
        Provider.objects.create(tenant_id=tenant, slug="models", name="Models", base_url="https://m.example/v1")


class Picker:
    """Whoever and whatever a change is about, by chance."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.user = chance.choice(list(User.objects.order_by("pk")))
        self.group = chance.choice(list(Group.objects.order_by("pk")))
        self.tenant = chance.choice(TENANTS)
        self.actor = Actor(self.user, self.tenant)
        self.provider = Provider.objects.filter(tenant_id=self.tenant).get()

    def client(self, *, deleted: bool = False) -> Any:
        rows = LLMClient.objects.filter(tenant_id=self.tenant, deleted_at__isnull=not deleted).order_by("pk")
        found = list(rows)
        return self.chance.choice(found) if found else self.make()

    def owner(self, client: Any) -> Actor:
        return Actor(client.owner, self.tenant)

    def name(self) -> str:
        return f"name {self.chance.randrange(20)}"

    def make(self) -> Any:
        return llm_clients.create_llm_client(
            actor=self.actor, name=f"{self.name()} {os.getpid()} {self.chance.random()}", provider=self.provider,
            model="m",
        )  # fmt: skip

    def some(self, rows: Any) -> list[Any]:
        return [row for row in rows if self.chance.random() < 0.5]


def _share(p: Picker) -> None:
    client = p.client()
    llm_clients.share_llm_client(
        client, actor=p.owner(client), tenant=p.chance.random() < 0.3, users=p.some(User.objects.all()),
        groups=p.some(Group.objects.all()),
    )  # fmt: skip


def _rename(p: Picker) -> None:
    client = p.client()
    llm_clients.rename_llm_client(client, actor=p.owner(client), name=p.name())


def _delete(p: Picker) -> None:
    client = p.client()
    llm_clients.delete_llm_client(client, actor=p.owner(client))


def _restore(p: Picker) -> None:
    client = p.client(deleted=True)
    llm_clients.restore_llm_client(client, actor=p.owner(client))


def _save(row: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def _update(p: Picker) -> None:
    with transaction.atomic():
        changing(f"tenant:{p.tenant}")
        LLMClient.objects.filter(pk=p.client().pk).update(description=p.name())


def _undo(p: Picker) -> None:
    with transaction.atomic():
        p.client().delete()
        transaction.set_rollback(True)


def _grant(p: Picker) -> None:
    LLMClientShare.objects.get_or_create(llm_client=p.client(), user=p.user)


def _withdraw(p: Picker) -> None:
    LLMClientShare.objects.filter(user=p.user, llm_client__tenant_id=p.tenant).delete()


CHANGES: dict[str, Callable[[Picker], Any]] = {
    "create": lambda p: p.make(),
    "clone": lambda p: llm_clients.clone_llm_client(p.client(), actor=p.actor, name=p.name()),
    "rename": _rename,
    "share": _share,
    "delete": _delete,
    "restore": _restore,
    "save": lambda p: _save(p.client(), description=p.name()),
    "destroy": lambda p: p.client().delete(),
    "update": _update,
    "undo": _undo,
    "grant": _grant,
    "withdraw": _withdraw,
    "join": lambda p: p.user.groups.add(p.group),
    "leave": lambda p: p.group.user_set.remove(p.user),
    "promote": lambda p: _save(p.user, is_staff=not p.user.is_staff),
    "mail": lambda p: _save(p.user, email=f"{p.chance.randrange(9)}@example.com"),
    "provider": lambda p: providers.update_provider(p.provider, name=p.name()),
}


def change(what: str, seed: float) -> str:
    """Do it; whether it was possible."""
    try:
        CHANGES[what](Picker(Random(seed)))
    except (AutomateError, DatabaseError) as exc:
        return type(exc).__name__
    return "done"


def die(what: str, seed: float, *, committed: bool) -> None:
    """Be killed in the middle of a change: before it is committed, or after that and before anybody is told."""
    if committed:
        Change.end = lambda self: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
        change(what, seed)
    with transaction.atomic():
        change(what, seed)
        os.kill(os.getpid(), signal.SIGKILL)


def look() -> list[str]:
    """Every page of everybody, as it is answered; what differs from what is in the database now."""
    wrong, visible = [], Visible()
    for user in User.objects.order_by("pk"):
        for tenant in TENANTS:
            for ownership in FILTERS:
                shown = _answered(user, tenant, ownership)
                ids = {one["id"] for one in shown["objects"]}
                if shown != _read(user, tenant, ownership) or ids != visible.to(user, tenant, ownership):
                    wrong.append(f"{user} in {tenant}, {ownership}: {shown}")
    return wrong


def glance(seed: float) -> None:
    """Some pages, whatever they show while others are at work."""
    chance, people = Random(seed), list(User.objects.order_by("pk"))
    for _ in range(4):
        _answered(chance.choice(people), chance.choice(TENANTS), chance.choice(FILTERS))


def _answered(user: Any, tenant: str, ownership: str) -> Any:
    request = APIRequestFactory().post("/", headers={"X-Tenant": tenant})
    force_authenticate(request, user)
    return json.loads(views.PromptListApiView.as_view()(request, ownership_filter=ownership).render().content)


def _read(user: Any, tenant: str, ownership: str) -> Any:
    answer = views.PromptListApiView().get_answer(Actor(user, tenant), ownership, 1, 25)
    return json.loads(views.JSONRenderer().render(answer))


class Visible:
    """Who may see what, told from the tables by other means than the package's."""

    def __init__(self) -> None:
        self.clients = list(LLMClient.objects.filter(deleted_at=None).order_by("-updated_at", "-pk"))
        self.shares = list(LLMClientShare.objects.values_list("llm_client_id", "user_id", "group_id"))
        self.joined = set(User.groups.through.objects.values_list("user_id", "group_id"))

    def to(self, user: Any, tenant: str, ownership: str) -> set[Any]:
        """The ids on the first page."""
        mine = {who for who in self.shares if who[1] == user.pk or (user.pk, who[2]) in self.joined}
        shared = {client_id for client_id, _user, _group in mine}
        found = []
        for client in self.clients:
            is_owned, is_shared = client.owner_id == user.pk, client.shared_with_tenant or client.pk in shared
            known = {"owned": is_owned, "shared": is_shared and not is_owned}
            known["all"] = is_owned or is_shared or user.is_staff
            found += [client.pk] if client.tenant_id == tenant and known[ownership] else []
        return set(found[:25])


def hits() -> int:
    """How many of the pages that are asked for now come out of the cache."""
    found: list[Any] = []
    usual = kept._found

    def noting(*arguments: Any) -> Any:
        answer = usual(*arguments)
        found.append(answer)
        return answer

    kept._found = noting
    look()
    kept._found = usual
    return len(found) - found.count(None)


COMMANDS: dict[str, Callable[..., Any]] = {
    "fill": fill,
    "change": change,
    "die": die,
    "look": look,
    "glance": glance,
    "hits": hits,
}


def main() -> None:
    """Do as told until there is nothing more."""
    settings.AUTOMATE_API_TENANT_RESOLVER = "tests.hosts.shop.people.tenant_of_header"
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        command, positional, keywords = json.loads(line)
        print(json.dumps(COMMANDS[command](*positional, **keywords)), flush=True)


if __name__ == "__main__":
    main()
