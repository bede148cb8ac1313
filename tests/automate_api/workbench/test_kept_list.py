"""The workbench's list out of the cache: as the database has it at each moment, for whoever asks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIRequestFactory, force_authenticate

from automate_api.exceptions import Conflict, InvalidInput
from automate_api.models import Actor, LLMClient, LLMClientShare
from automate_api.services import kept as kept_module
from automate_api.services.client_changes import PEOPLE, scope_of_tenant
from automate_api.services.freshness import changing, versions
from automate_api.services.kept import kept
from automate_api.services.llm_clients import (
    clone_llm_client,
    create_llm_client,
    delete_llm_client,
    rename_llm_client,
    restore_llm_client,
    share_llm_client,
    update_llm_client,
)
from automate_api.services.providers import update_provider
from automate_api.workbench.views import PromptListApiView
from tests.factories import make_llm_client, make_provider, make_user
from tests.hosts.shop.people import with_key

pytestmark = pytest.mark.django_db(transaction=True)

ROUTE = "/workbench/api/listview/"
TENANT = scope_of_tenant("default")


@pytest.fixture(params=[pytest.param("redis", marks=pytest.mark.redis), "database"])
def store(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Where versions are."""
    if request.param == "redis":
        request.getfixturevalue("redis_cache")
    else:
        settings.AUTOMATE_API_CACHE = None
    return str(request.param)


class Scene:
    """Ann, whose page is looked at, and what there is around her."""

    def __init__(self) -> None:
        self.ann, self.bob, self.boss = make_user(username="ann"), make_user(username="bob"), make_user(is_staff=True)
        self.team = Group.objects.create(name="team")
        self.provider = make_provider(name="Models", api_key="sk-canary-of-the-provider")
        self.mine = make_llm_client(owner=self.ann, provider=self.provider, name="mine")
        self.theirs = make_llm_client(owner=self.bob, provider=self.provider, name="theirs")
        self.api = with_key(user=self.ann)
        self.staff = Actor(self.boss, "default")

    def look(self, *, anew: bool = False) -> Any:
        answer = self.api.post(ROUTE, query_params={"invalidate_cache": "true"} if anew else None)
        assert answer.status_code == 200, answer.content
        return answer.json()


@pytest.fixture
def scene(store: str) -> Scene:
    return Scene()


def _by_host(change: Callable[[Scene], Any], *scopes: str) -> Callable[[Scene], Any]:
    def announced(scene: Scene) -> None:
        with transaction.atomic():
            changing(*scopes)
            change(scene)

    return announced


def _save(row: Any, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


def _shared(scene: Scene, **how: Any) -> None:
    share_llm_client(scene.theirs, actor=scene.staff, **how)


#: What others do, after what has happened before that.
CHANGES: dict[str, tuple[Callable[[Scene], Any] | None, Callable[[Scene], Any]]] = {
    "create": (None, lambda s: create_llm_client(actor=Actor(s.ann, "default"), name="new", provider=s.provider)),
    "clone": (None, lambda s: clone_llm_client(s.mine, actor=Actor(s.ann, "default"), name="copy")),
    "change": (None, lambda s: update_llm_client(s.mine, actor=s.staff, system_prompt="Rhyme.")),
    "rename": (None, lambda s: rename_llm_client(s.mine, actor=s.staff, name="renamed")),
    "delete": (None, lambda s: delete_llm_client(s.mine, actor=s.staff)),
    "restore": (
        lambda s: delete_llm_client(s.mine, actor=s.staff),
        lambda s: restore_llm_client(s.mine, actor=s.staff),
    ),
    "share": (None, lambda s: _shared(s, users=[s.ann])),
    "share with all": (None, lambda s: _shared(s, tenant=True)),
    "share one's own": (None, lambda s: share_llm_client(s.mine, actor=s.staff, users=[s.bob])),
    "unshare": (lambda s: _shared(s, users=[s.ann]), lambda s: _shared(s, users=[])),
    "join a group": (lambda s: _shared(s, groups=[s.team]), lambda s: s.team.user_set.add(s.ann)),
    "leave a group": (
        lambda s: (_shared(s, groups=[s.team]), s.team.user_set.add(s.ann)),
        lambda s: s.ann.groups.clear(),
    ),
    "join by the table": (
        lambda s: _shared(s, groups=[s.team]),
        _by_host(lambda s: s.ann.groups.through.objects.create(user=s.ann, group=s.team), PEOPLE),
    ),
    "delete a group": (
        lambda s: (_shared(s, groups=[s.team]), s.team.user_set.add(s.ann)),
        lambda s: s.team.delete(),
    ),
    "change the provider": (None, lambda s: update_provider(s.provider, name="Other models")),
    "rename the caller": (None, lambda s: _save(s.ann, username="anna")),
    "make the caller staff": (None, lambda s: _save(s.ann, is_staff=True)),
    "rename the administrator": (None, lambda s: _save(s.boss, username="chief")),
    "dismiss the administrator": (None, lambda s: _save(s.boss, is_active=False)),
    "delete the administrator": (None, lambda s: s.boss.delete()),
    "hire an administrator": (lambda s: s.boss.delete(), lambda s: make_user(is_staff=True)),
    "delete an owner": (lambda s: _shared(s, tenant=True), lambda s: s.bob.delete()),
    "delete who it is shared with": (
        lambda s: share_llm_client(s.mine, actor=s.staff, users=[s.bob]),
        lambda s: s.bob.delete(),
    ),
    "save an LLM client": (None, lambda s: _save(s.mine, description="Better.")),
    "make an LLM client": (None, lambda s: make_llm_client(owner=s.ann, provider=s.provider)),
    "delete for good": (None, lambda s: s.mine.delete()),
    "delete for good by a queryset": (None, lambda s: LLMClient.objects.filter(pk=s.mine.pk).delete()),
    "save a share": (None, lambda s: LLMClientShare.objects.create(llm_client=s.theirs, user=s.ann)),
    "delete a share": (
        lambda s: _shared(s, users=[s.ann]),
        lambda s: LLMClientShare.objects.filter(user=s.ann).delete(),
    ),
    "save a provider": (None, lambda s: _save(s.provider, name="Other models")),
    "update by a host": (
        None,
        _by_host(lambda s: LLMClient.objects.filter(pk=s.mine.pk).update(name="by SQL"), TENANT),
    ),
    "update users by a host": (
        None,
        _by_host(lambda s: type(s.boss).objects.filter(pk=s.boss.pk).update(username="by SQL"), PEOPLE),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen_at_once(scene: Scene, what: str) -> None:
    before, change = CHANGES[what]
    if before is not None:
        before(scene)
    first = scene.look()
    assert scene.look() == first
    change(scene)
    then = scene.look()
    assert then != first
    assert then == scene.look(anew=True) == scene.look()


def test_what_is_done_in_the_admin_is_seen_at_once(scene: Scene) -> None:
    first = scene.look()
    browser = Client()
    browser.force_login(make_user(is_staff=True, is_superuser=True))
    page = reverse("admin:automate_api_llmclient_change", args=[scene.theirs.pk])
    form = browser.get(page).context["adminform"].form.initial
    form = {name: "" if value is None else value for name, value in form.items()}
    form |= {"parameters": "{}", "tools": "[]", "shares-TOTAL_FORMS": "1", "shares-INITIAL_FORMS": "0"}
    form |= {"shares-0-user": scene.ann.pk, "shares-0-llm_client": scene.theirs.pk}
    assert browser.post(page, form).status_code == 302
    assert scene.look()["count"] == first["count"] + 1


def test_a_warm_page_costs_no_row(scene: Scene, store: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    request = APIRequestFactory().post(ROUTE)
    force_authenticate(request, scene.ann)
    view = PromptListApiView.as_view()
    first = view(request).render().content
    with django_assert_num_queries(0 if store == "redis" else 1):
        assert view(request).render().content == first


def test_what_does_not_concern_it_leaves_a_page_warm(
    scene: Scene, django_assert_num_queries: DjangoAssertNumQueries, store: str
) -> None:
    before = versions(TENANT, PEOPLE)
    assert before is not None
    make_llm_client(tenant_id="globex", provider=make_provider(tenant_id="globex"))
    make_user()
    scene.ann.last_login = timezone.now()
    scene.ann.save(update_fields=["last_login"])
    Group.objects.create(name="others")
    assert versions(TENANT, PEOPLE) == before


def test_nobody_is_shown_what_was_kept_for_another(scene: Scene) -> None:
    make_llm_client(tenant_id="globex", owner=scene.ann, name="abroad", provider=make_provider(tenant_id="globex"))
    callers = {
        "ann": (scene.api, ["mine"]),
        "bob": (with_key(user=scene.bob), ["theirs"]),
        "boss": (with_key(user=scene.boss), ["theirs", "mine"]),
        "ann abroad": (with_key(user=scene.ann, tenant_id="globex"), ["abroad"]),
    }
    for _ in range(2):
        for api, expected in callers.values():
            assert [one["name"] for one in api.post(ROUTE).json()["objects"]] == expected
            assert api.post(f"{ROUTE}shared/").json()["objects"] == []
            assert len(api.post(f"{ROUTE}?page_size=1").json()["objects"]) == 1


def test_what_is_read_within_a_transaction_is_not_kept(scene: Scene) -> None:
    first = scene.look()
    with transaction.atomic():
        make_llm_client(owner=scene.ann, provider=scene.provider)
        assert scene.look()["count"] == first["count"] + 1
        transaction.set_rollback(True)
    assert scene.look() == first
    make_llm_client(owner=scene.ann, provider=scene.provider)
    assert scene.look()["count"] == first["count"] + 1


def test_a_change_that_is_refused_is_not_seen_and_stops_nobody_from_keeping_pages(scene: Scene) -> None:
    first = scene.look()
    with pytest.raises(Conflict):
        create_llm_client(actor=Actor(scene.ann, "default"), name="mine", provider=scene.provider)
    with pytest.raises(InvalidInput):
        update_llm_client(scene.mine, actor=scene.staff, temperature=7)
    assert versions(TENANT, PEOPLE) is not None
    with transaction.atomic():
        with pytest.raises(Conflict):
            rename_llm_client(make_llm_client(owner=scene.ann, provider=scene.provider), actor=scene.staff, name="mine")
        transaction.set_rollback(True)
    assert scene.look() == first == scene.look(anew=True)


def test_a_page_that_is_too_long_is_not_kept(scene: Scene, store: str) -> None:
    update_llm_client(scene.mine, actor=scene.staff, system_prompt="x" * 1_000_000)
    assert len(scene.look()["objects"][0]["systemPrompt"]) == 1_000_000
    assert scene.look() == scene.look(anew=True)


def test_what_is_kept_has_no_secret(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[Any] = []
    usual = kept_module._stored

    def noting(cache: Any, key: str, known: Any, answer: bytes, seconds: float) -> bytes:
        stored.append((key, known, answer))
        return usual(cache, key, known, answer, seconds)

    monkeypatch.setattr(kept_module, "_stored", noting)
    scene.look()
    assert "mine" in str(stored)
    for secret in ("canary", "password", scene.ann.password or "!", "aak_"):
        assert secret not in str(stored)


@pytest.mark.redis
def test_a_cache_that_is_away_is_done_without(redis_cache: str, settings: Settings) -> None:
    scene = Scene()
    first = scene.look()
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1"}}
    assert scene.look() == first


@pytest.mark.redis
def test_what_somebody_else_put_into_the_cache_is_not_an_answer(redis_cache: str) -> None:
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"{}"

    arguments: Any = {"scopes": ("people",), "seconds": 60}
    assert kept(["x"], make, **arguments) == kept(["x"], make, **arguments) == b"{}"
    for rubbish in (None, "text", (), ({}, b"[]"), (versions("people"), "text"), 7):
        caches["default"].set(kept_module._key(["x"]), rubbish, 60)
        made.clear()
        assert kept(["x"], make, **arguments) == b"{}"
        assert made


def test_two_hosts_on_one_cache_share_no_answers(settings: Settings) -> None:
    mine = kept_module._key(["x", 1])
    settings.SECRET_KEY = "another host's"
    assert kept_module._key(["x", 1]) != mine


def test_a_view_of_ones_own_keeps_its_own_answers_or_none(scene: Scene) -> None:
    class Silent(PromptListApiView):
        def get_answer(self, *asked: Any) -> Any:
            return {"asked": [asked[1:], len(reads)]}

        def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
            response.data["looked"] = True
            return super().finalize_response(request, response, *args, **kwargs)

    class Forgetful(Silent):
        cache_seconds = 0

    reads: list[int] = []
    request = APIRequestFactory().post(ROUTE)
    force_authenticate(request, scene.ann)
    told = []
    for view in (PromptListApiView, Silent, Silent, Forgetful, Forgetful):
        told.append(view.as_view()(request).render().content)
        reads.append(1)
    assert told[1:] == [
        b'{"asked":[["all",1,25],1],"looked":true}',
        b'{"asked":[["all",1,25],1],"looked":true}',
        b'{"asked":[["all",1,25],3],"looked":true}',
        b'{"asked":[["all",1,25],4],"looked":true}',
    ]
