"""Slugs that nobody named: every creation gets one, whoever else creates at the same moment."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from automate_api.exceptions import Conflict
from automate_api.models import Actor, Endpoint, LLMClient, Provider
from automate_api.services import rows
from automate_api.services.endpoints import create_endpoint
from automate_api.services.llm_clients import create_llm_client
from automate_api.services.providers import create_provider
from automate_api.services.rows import free_slug
from tests.factories import make_actor, make_llm_client, make_provider

THREADS = 16


def at_once(create: Callable[[], Any]) -> list[Any]:
    """What came of as many calls in as many threads, begun together: rows or conflicts."""
    results: list[Any] = []
    start = threading.Barrier(THREADS)

    def work() -> None:
        try:
            start.wait(timeout=30)
            results.append(create())
        except Conflict as exc:
            results.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def provider_of(actor: Actor, **fields: Any) -> Provider:
    return create_provider(actor=actor, **{"name": "Same", "base_url": "https://model.example/v1", **fields})


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_creations_at_once_get_a_slug_each() -> None:
    actor, client = make_actor(is_staff=True), make_llm_client()
    made = at_once(lambda: provider_of(actor))
    made += at_once(lambda: create_endpoint(actor=actor, name="Same", task_types=["llm.chat"], llm_client=client))
    assert [row for row in made if isinstance(row, Conflict)] == []
    assert len(made) == 2 * THREADS
    for model in (Provider, Endpoint):
        slugs = model.objects.filter(name="Same").values_list("slug", flat=True)
        assert len(set(slugs)) == THREADS
        assert all(slug.startswith("same") for slug in slugs)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_creations_at_once_with_one_slug_one_wins() -> None:
    actor = make_actor(is_staff=True)
    made = at_once(lambda: provider_of(actor, slug="mine"))
    assert [type(row) for row in made].count(Conflict) == THREADS - 1
    assert list(Provider.objects.values_list("slug", flat=True)) == ["mine"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_creations_at_once_with_a_name_that_must_be_unique_one_wins() -> None:
    actor, provider = make_actor(), make_provider()
    made = at_once(lambda: create_llm_client(actor=actor, name="Same", provider=provider))
    assert [type(row) for row in made].count(Conflict) == THREADS - 1
    assert LLMClient.objects.count() == 1


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The slugs that were found free. The first three looks are too old: that slug is taken since."""
    seen: list[str] = []

    def look(everyone: Any, name: str, *, skip: int) -> str:
        seen.append("same" if len(seen) < 3 else free_slug(everyone, name, skip=skip))
        return seen[-1]

    monkeypatch.setattr(rows, "free_slug", look)
    return seen


@pytest.mark.django_db
def test_a_slug_that_somebody_took_meanwhile_is_replaced(looks: list[str]) -> None:
    make_provider(slug="same")
    assert provider_of(make_actor(is_staff=True)).slug == looks[-1] != "same"
    assert looks[:3] == ["same"] * 3
    assert len(looks) == 4


@pytest.mark.django_db
def test_the_attempts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    make_provider(slug="same")
    tried: list[int] = []
    monkeypatch.setattr(rows, "free_slug", lambda *args, skip: (tried.append(skip), "same")[1])
    with pytest.raises(Conflict, match="Name a slug"):
        provider_of(make_actor(is_staff=True))
    assert len(tried) == 10
    assert tried[0] == 0


@pytest.mark.django_db
def test_one_after_another_they_are_numbered() -> None:
    actor = make_actor(is_staff=True)
    assert [provider_of(actor).slug for _row in range(3)] == ["same", "same-2", "same-3"]
    everyone = Provider.objects.all()
    assert free_slug(everyone, "Same", skip=2) == "same-6"
    assert free_slug(everyone, "Other", skip=1) == "other-2"


@pytest.mark.django_db
def test_a_slug_that_was_named_and_a_name_that_is_taken_conflict_at_once() -> None:
    actor, provider = make_actor(is_staff=True), make_provider(slug="taken")
    with pytest.raises(Conflict):
        provider_of(actor, slug="taken")
    create_llm_client(actor=actor, name="Same", provider=provider)
    with pytest.raises(Conflict):
        create_llm_client(actor=actor, name="Same", provider=provider)
