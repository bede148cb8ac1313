"""Fixtures of the tests of outbound calls."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.network import Listeners, Watch, watches


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What is connected to during the test."""
    seen = Watch()
    watches.append(seen)
    yield seen
    watches.remove(seen)


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    """Who would see a connection."""
    with closing(Listeners()) as both:
        yield both
