"""One story in hosts of every kind: whatever their Django is like, the API is the same."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent

Told = dict[str, dict[str, Any]]

APP, FRONT = "https://app.example.com", "https://front.example.com"

#: W005: no pages; W009: each process counts alone; W011: one tenant; W026: no workers. E001: the host describes its
#: views otherwise.
USUAL = ["automate_api.W005", "automate_api.W009", "automate_api.W011", "automate_api.W026"]
UNDESCRIBED = "drf_spectacular.E001"

#: What is different in a host, by chapter, and what it adds. Everything else is as in the bare host.
HOSTS: dict[str, dict[str, Any]] = {
    "single": {"streaming": {}, "automating": {}, "sessions": {}},
    "by_organization": {
        "installation": {"checks": ["automate_api.W005", "automate_api.W009", "automate_api.W026"]},
        "sessions": {"stranger": 0},
        "own": {
            "stamped": True,
            "lists": [1, 1, 0],
            "foreign": [404, True],
            "without": [403, [], 404],
            "shared elsewhere": [400, True],
        },
    },
    "uuid_user": {
        "installation": {"checks": ["automate_api.W009", "automate_api.W011", "automate_api.W026"]},
        "schema": {"pages": [200, 200], "public": [200, 200, 200]},
        "admin": {
            "APIKey": [200, 200],
            "Artifact": [200],
            "Endpoint": [200, 200],
            "EndpointVersion": [200, 200],
            "Event": [200],
            "Execution": [200, 200],
            "IdempotencyKey": [200, 200],
            "Job": [200],
            "JobEvent": [200],
            "LLMClient": [200, 200],
            "LLMClientVersion": [200, 200],
            "PromptLog": [200, 200],
            "Provider": [200, 200],
        },
    },
    "with_corsheaders": {
        "installation": {"checks": USUAL},
        # The middleware answers every preflight; the view's origins and the host's are admitted, once.
        "own": {
            "own by front": [200, FRONT, FRONT],
            "own by app": [200, None, None],
            "own by evil": [200, None, None],
            "cross by front": [200, FRONT, FRONT],
            "cross by app": [200, APP, APP],
            "cross by evil": [200, None, None],
            "package by front": [200, FRONT, FRONT],
            "package by app": [200, None, None],
            "package by evil": [200, None, None],
        },
    },
    "without_corsheaders": {
        "installation": {"checks": ["automate_api.E008", *USUAL]},
        # The view answers for itself.
        "own": {
            "own by front": [401, None, None],
            "own by app": [401, None, None],
            "own by evil": [401, None, None],
            "cross by front": [204, None, None],
            "cross by app": [204, APP, APP],
            "cross by evil": [204, None, None],
            "package by front": [401, None, None],
            "package by app": [401, None, None],
            "package by evil": [401, None, None],
        },
    },
    "atomic": {
        # Status, groups left, keys claimed. A key whose request failed is free again.
        "own": {
            "halfway done": [201, 1, 1],
            "halfway refused": [400, 0, 1],
            "halfway failed": [500, 0, 0],
            "loose done": [201, 1, 1],
            "loose refused": [400, 1, 1],
            "loose failed": [500, 1, 0],
            "failed again": [500, 500],
        },
    },
    "words": {
        # Its workers are told by somebody else.
        "installation": {"checks": USUAL[:-1]},
        "own": {
            "run": ["succeeded", 2, ["one", "two"]],
            "streamed": ["started", "artifact", "final"],
            "as a job": ["succeeded", 2, ["one", "two"]],
            "refused": [
                [400, "input.text does_not_exist"],
                [400, "input.text required"],
                [400, "input.text type"],
                [400, "input.options.case enum"],
                [400, "input.more unknown_field"],
            ],
            "of another": [[400, "input.text does_not_exist"], [404]],
            "its list by another": 404,
            "described": [[True, ["text"], ["keep", "lower"]]] * 2,
        },
    },
    "hostile": {
        "own": {
            "public": [200, 201, 201, 429],
            "plain": {
                "staff": [{"fine": True}, {"fine": True}],
                "limited": [{"let": "in"}, {"fine": True}],
                "public": [{"let": "in"}, {"fine": True}],
                "tenant": [1, 1],
            },
            "keys": {
                "same moment": True,
                "made": [201, 200],
                "in the past": 400,
                "then": [200, 401],
                "stored": True,
            },
            "times": [True, False],
            "words": ["Dieses Feld darf nicht leer sein.", "Ce champ ne peut être vide."],
        },
    },
}


def told(host: str, database_url: str, **environment: str) -> Told:
    """The story in this host, told by a process of its own. A warning fails it."""
    settings = {"DJANGO_SETTINGS_MODULE": f"tests.hosts.{host}.settings", "AUTOMATE_TEST_DATABASE_URL": database_url}
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.hosts"],
        env={**os.environ, "AUTOMATE_TEST_REDIS_URL": "", **settings, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    story: Told = json.loads(finished.stdout)
    return story


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The story in the host that has only what it must."""
    return told("bare", f"sqlite:///{tmp_path_factory.mktemp('bare')}/db.sqlite3")


def expected(bare: Told, differences: Told) -> Told:
    """The bare host's story with these differences; an empty chapter is one that the host has not."""
    return {
        name: {**chapter, **differences[name]} if differences.get(name) else differences.get(name, chapter)
        for name, chapter in bare.items()
    }


@pytest.mark.parametrize("host", HOSTS)
def test_the_story_is_the_same_in_each_host(host: str, bare: Told, tmp_path: Path) -> None:
    assert told(host, f"sqlite:///{tmp_path}/db.sqlite3") == expected(bare, HOSTS[host])


def test_the_story_is_the_same_under_debug(bare: Told, tmp_path: Path) -> None:
    story = told("single", f"sqlite:///{tmp_path}/db.sqlite3", HOST_DEBUG="1")
    # The other two look at production alone.
    checks = {"checks": ["automate_api.W005", UNDESCRIBED]}
    assert story == expected(bare, {**HOSTS["single"], "installation": checks})


def test_the_story_is_the_same_on_postgres_with_atomic_requests(bare: Told, postgres_url: str) -> None:
    story = told("atomic", postgres_url)
    checks = {"checks": sorted([*USUAL, "automate_api.W022", UNDESCRIBED])}
    assert story == expected(bare, {**HOSTS["atomic"], "installation": checks})


def test_the_story_has_a_good_end(bare: Told) -> None:
    assert bare["installation"] == {"checks": [*USUAL, UNDESCRIBED], "missing_migrations": None}
    assert [bare["making"][who][0] for who in ("provider", "client", "endpoint", "changed")] == [201, 201, 201, 200]
    refused = {"by_a_member": 403, "by_nobody": 401, "again": 409, "wrong": 400}
    assert {who: bare["making"][who][0] for who in refused} == refused
    assert bare["running"]["text"] is True
    assert bare["running"]["kept"] == ["failed", "succeeded"]
    assert [bare["running"][who][0] for who in ("run", "failed", "by_another", "by_nobody")] == [200, 502, 404, 401]
    assert bare["running"]["run"][2]["cost"] == "decimal"
    assert [bare["automating"][who][0] for who in ("made", "wrong", "by a member", "run", "hook")] == [
        201, 400, 403, 202, 201
    ]  # fmt: skip
    assert (bare["automating"]["output"], bare["automating"]["strangers"]) == (2, [404, True])
    assert bare["streaming"]["whole"] == [200, "text/event-stream", "started", "final"]
    assert bare["streaming"]["failed"] == [200, "text/event-stream", "started", "error"]
    assert bare["sharing"]["runs"] == [200, 404]
    assert bare["leaving"]["key"] == [200, 401]
    assert bare["sharing"]["read"] == [404, 200, 404]
    assert bare["repeating"]["same"] == [True, True]
    assert bare["repeating"]["replayed"] == [None, "true", None, "true"]
    assert bare["limits"]["statuses"] == [200, 200, 429]
    assert bare["schema"]["3.0.3"] is bare["schema"]["3.1.1"] is None
    assert bare["schema"]["served"] == [200, "application/json"]
    assert bare["schema"]["mount"] is True


def test_in_the_story_lists_are_whole_and_a_stranger_learns_nothing(bare: Told) -> None:
    lists = {name: found for name, found in bare["listing"].items() if name.endswith(" elsewhere")}
    assert lists.pop("api-key elsewhere") == 1
    assert set(lists.values()) == {0}
    assert bare["listing"]["walked"] is True
    assert {found[0] for name, found in bare["listing"].items() if name.startswith("?")} == {400}
    assert {found[0] for name, found in bare["listing"].items() if name.endswith(" by nobody")} == {401}
    assert all(is_same for _status, is_same in bare["strangers"].values())
    assert {status for status, _is_same in bare["strangers"].values()} == {404, 405, 400, 200}
    assert bare["strangers"]["query"] == [200, True]
