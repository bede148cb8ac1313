"""What the hostile host adds to the story."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone

from automate_api.models import APIKey
from automate_api.services.api_keys import issue_key
from tests.hosts.story import Story
from tests.hosts.telling import Caller, api


def chapter(story: Story) -> dict[str, Any]:
    """Nobody is None, times have no zone, and words are German."""
    return {
        "public": _public(story),
        "plain": _plain(story),
        "keys": _keys(story),
        "times": _times(story),
        "words": _words(story),
    }


def _public(story: Story) -> list[int]:
    path = reverse("public").removeprefix("/below")
    answers = [story.anonymous("GET", path), story.anonymous("POST", path, {"a": 1}, Idempotency_Key="k")]
    answers += [story.anonymous("POST", path, {"a": 2}, Idempotency_Key="k"), story.anonymous("GET", path)]
    return [answer.status_code for answer in answers]


def _plain(story: Story) -> dict[str, Any]:
    """What plain views say the first and the second time; `fine` is the host's word for every error."""
    headers = {"Accept": "application/json; version=7"}
    views = ("staff", "limited", "public", "tenant")
    answers = {view: [story.anonymous("GET", f"/plain/{view}/", **headers).json() for _ in range(2)] for view in views}
    # The resolver has one tenant for all, and all are let in here.
    return {**answers, "tenant": [len(answer["results"]) for answer in answers["tenant"]]}


def _keys(story: Story) -> dict[str, Any]:
    """A key that expires in an hour, one that did an hour ago, and one that is asked to live a little too short."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    made = story.staff("POST", api("api-key-list"), {"name": "soon", "scopes": ["*"], "expires_at": soon.isoformat()})
    told = datetime.fromisoformat(made.json()["expires_at"])
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    late = story.staff("POST", api("api-key-list"), {"name": "late", "scopes": ["*"], "expires_at": past})
    statuses = []
    for minutes in (60, -60):
        user = {"tenant_id": "default", "user": story.member.user}
        expiry = timezone.now() + timedelta(minutes=minutes)
        _key, text = issue_key(**user, name="x", scopes=["*"], expires_at=expiry)
        statuses.append(story.caller(key=text)("GET", api("endpoint-list")).status_code)
    return {
        "same moment": told == soon,
        "made": [made.status_code, story.caller(key=made.json()["api_key"])("GET", api("index")).status_code],
        "in the past": late.status_code,
        "then": statuses,
        "stored": timezone.is_naive(APIKey.objects.get(pk=made.json()["id"]).expires_at),
    }


def _times(story: Story) -> list[int]:
    """How many executions there are after and before a minute ago."""
    minute_ago = quote((datetime.now(UTC) - timedelta(minutes=1)).isoformat())
    paths = (f"{api('execution-list')}?{name}={minute_ago}" for name in ("created_after", "created_before"))
    answers = [story.member("GET", path) for path in paths]
    return [len(answer.json()["results"]) > 0 if answer.status_code == 200 else answer.json() for answer in answers]


def _words(story: Story) -> list[str]:
    """REST framework's words for the same error, in the host's language and in one that is asked for."""
    caller: Caller = story.staff
    body = {"name": "", "base_url": "https://model.example"}
    answers = [caller("POST", api("provider-list"), body, **headers) for headers in ({}, {"Accept_Language": "fr"})]
    return [answer.json()["errors"][0]["detail"] for answer in answers]
