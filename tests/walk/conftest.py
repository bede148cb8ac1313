"""The world of the walks."""

from typing import Any

import pytest

from tests.upstream import FakeUpstream
from tests.walk.world import World


@pytest.fixture
def world(db: None, settings: Any, upstream: FakeUpstream) -> World:
    """Two tenants, told apart by keys and, of sessions, by a header."""
    settings.AUTOMATE_API_TENANT_RESOLVER = "tests.hosts.shop.people.tenant_of_header"
    settings.AUTOMATE_API_TENANT_MEMBERS = "tests.walk.world.members_of_tenant"
    # A walk asks more often in a minute than the limits of some routes admit.
    settings.RATELIMIT_ENABLE = False
    return World(upstream.url)
