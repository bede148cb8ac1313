"""What the host with organizations adds to the story."""

from typing import Any

from django.contrib.auth.models import User

from tests.hosts.by_organization.models import Project
from tests.hosts.story import Story
from tests.hosts.telling import api, same


def chapter(story: Story) -> dict[str, Any]:
    """Projects by session and by key, somebody without an organization, and whom an endpoint can be shared with."""
    member, stranger = story.signed_in(story.member), story.signed_in(story.stranger)
    made = member("POST", "/projects/", {"name": "ours", "organization": stranger.tenant_id})
    theirs = Project.objects.create(name="theirs", organization_id=int(story.stranger.tenant_id))
    loner = story.caller(user=User.objects.create_user("loner"))
    loner = story.signed_in(loner)
    access = {"members": False, "users": [], "groups": []}
    path = api("endpoint-detail", pk="private")
    shares = [
        story.staff("PATCH", path, {"access": {**access, "users": [pk]}}) for pk in (story.stranger.user.pk, 4711)
    ]
    return {
        "stamped": Project.objects.get(pk=made.json()["id"]).organization_id == int(story.member.tenant_id),
        "lists": [len(who("GET", "/projects/").json()["results"]) for who in (member, stranger, loner)],
        "foreign": same(*(member("GET", f"/projects/{pk}/") for pk in (theirs.pk, 4711))),
        "without": [
            loner("POST", "/projects/", {"name": "x"}).status_code,
            loner("GET", api("provider-list")).json()["results"],
            loner("POST", api("endpoint-run", pk="ask"), {"input": "x"}).status_code,
        ],
        "shared elsewhere": same(*shares),
    }
