"""What hosts with and without the middleware add to the story."""

from itertools import product
from typing import Any

from tests.hosts.story import Story
from tests.hosts.telling import api

ORIGINS = {"front": "https://front.example.com", "app": "https://app.example.com", "evil": "https://evil.example"}


def chapter(story: Story) -> dict[str, Any]:
    """Whom each view lets in, asked before and then called: `[preflight's status, its origin, the answer's origin]`."""
    paths = {"own": "/own/", "cross": "/cross/", "package": api("endpoint-list")}
    found: dict[str, Any] = {}
    for (name, path), (who, origin) in product(paths.items(), ORIGINS.items()):
        asked = story.anonymous("OPTIONS", path, Origin=origin, Access_Control_Request_Method="GET")
        answer = story.member("GET", path, Origin=origin)
        header = "Access-Control-Allow-Origin"
        # Two values would be joined by a comma, and no browser would take them.
        found[f"{name} by {who}"] = [asked.status_code, asked.headers.get(header), answer.headers.get(header)]
    return found
