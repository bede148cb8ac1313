"""The clock by which limits are counted: it stands still once it is asked to move, and moves only then."""

import time
from types import SimpleNamespace

from django.http import HttpRequest, JsonResponse
from django_ratelimit import core

from automate_api.security import limits

_clock = SimpleNamespace(now=time.time())
_still = SimpleNamespace(time=lambda: _clock.now)


def clock(request: HttpRequest) -> JsonResponse:
    """Let it be `?seconds=` later than it was."""
    core.time = limits.time = _still
    _clock.now += float(request.GET["seconds"])
    return JsonResponse({})
