"""What every test of workflows needs."""

from collections.abc import Iterator

import pytest
from django.utils.module_loading import import_string


@pytest.fixture(autouse=True)
def _own_plans() -> Iterator[None]:
    """No test finds the plan of another's version: one that was rolled back leaves its id to the next."""
    # This module is imported before Django is ready.
    yield
    import_string("automate.services.plans._plan").cache_clear()
