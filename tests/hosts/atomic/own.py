"""What the host with `ATOMIC_REQUESTS` adds to the story."""

from typing import Any

from django.contrib.auth.models import Group

from automate_api.models import IdempotencyKey
from tests.hosts.story import Story
from tests.hosts.telling import Caller


def chapter(story: Story) -> dict[str, Any]:
    """What is left of a request that ended so: `[status, groups, claimed keys]`."""
    session = story.signed_in(story.member)
    found = {
        f"{path} {how}": _left(session, f"/{path}/{how}/")
        for path in ("halfway", "loose")
        for how in ("done", "refused", "failed")
    }
    again = [_left(session, "/halfway/failed/")[0] for _ in range(2)]
    return {**found, "failed again": again}


def _left(caller: Caller, path: str) -> list[int]:
    groups, keys = Group.objects.count(), IdempotencyKey.objects.count()
    status = caller("POST", path, {}, Idempotency_Key=path).status_code
    found = [status, Group.objects.count() - groups, IdempotencyKey.objects.count() - keys]
    Group.objects.all().delete()
    return found
