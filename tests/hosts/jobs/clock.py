"""A clock that is wrong."""

import time
from datetime import UTC, datetime, timedelta

from django.utils import timezone


def shift(seconds: float) -> None:
    """Let this process believe that it is `seconds` later."""
    if not seconds:
        return
    right = time.time
    time.time = lambda: right() + seconds
    timezone.now = lambda: datetime.now(UTC) + timedelta(seconds=seconds)
