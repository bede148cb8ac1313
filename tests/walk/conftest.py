"""The world of the walks: made once for a module, and new to each of its tests."""

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from tests.upstream import FakeUpstream
from tests.walk.world import World

TWO_TENANTS = {
    "AUTOMATE_API_TENANT_RESOLVER": "tests.hosts.shop.people.tenant_of_header",
    "AUTOMATE_API_TENANT_MEMBERS": "tests.walk.world.members_of_tenant",
}


@pytest.fixture
def upstream(model_server: FakeUpstream, settings: Any) -> FakeUpstream:
    """The module's model server, admitted to the allow-list; it has not been asked yet."""
    settings.AUTOMATE_API_PRIVATE_HOSTS = [model_server.host]
    model_server.requests.clear()
    return model_server


@pytest.fixture(scope="module")
def settled(
    django_db_setup: None,
    django_db_blocker: Any,
    model_server: FakeUpstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[World, Path]]:
    """The world, committed, and the folder of its files. No test may commit: what it does is rolled back."""
    folder = tmp_path_factory.mktemp("world")
    waiting = "tests.jobs.making.NotingDispatcher"
    with django_db_blocker.unblock():
        with override_settings(**TWO_TENANTS, MEDIA_ROOT=str(folder), AUTOMATE_API_JOB_DISPATCHER=waiting):
            world = World(model_server.url)
        yield world, folder
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def world(settled: tuple[World, Path], db: None, settings: Any, upstream: FakeUpstream) -> World:
    """Two tenants, told apart by keys and, of sessions, by a header."""
    for name, value in TWO_TENANTS.items():
        setattr(settings, name, value)
    # A walk asks more often in a minute than the limits of some routes admit.
    settings.RATELIMIT_ENABLE = False
    made, folder = settled
    shutil.copytree(folder, settings.MEDIA_ROOT, dirs_exist_ok=True)
    return copy.deepcopy(made)
