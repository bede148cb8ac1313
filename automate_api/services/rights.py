"""Who may do what with an LLM client: the one table, and whoever asks it."""

from collections.abc import Mapping
from enum import Enum

from automate_api.exceptions import NotFound, PermissionDenied
from automate_api.models import Actor, LLMClient


class Right(Enum):
    """What somebody must be to an LLM client; each admits whom the next admits too."""

    READER = "reader"
    """Somebody it is shared with: by name, through a group, or with the whole tenant."""
    MANAGER = "manager"
    """Its owner, or staff of its tenant."""


#: What each verb takes. To make one takes nothing but a tenant, and an API key's scopes narrow all of this further.
LLM_CLIENT_RIGHTS: Mapping[str, Right] = {
    "read": Right.READER,
    "clone": Right.READER,
    "chat": Right.READER,
    "change": Right.MANAGER,
    "rename": Right.MANAGER,
    "share": Right.MANAGER,
    "delete": Right.MANAGER,
    "restore": Right.MANAGER,
}


def require_right(client: LLMClient, verb: str, *, actor: Actor) -> None:
    """Refuse `actor` where `LLM_CLIENT_RIGHTS` does not admit it to `verb`.

    Nobody reads a deleted client; whoever managed it may restore it, and that is all.

    Raises:
        NotFound: the actor may not even read the client.
        PermissionDenied: it may read it, and that is not enough.
    """
    may_manage = client.is_managed_by(actor)
    if may_manage and (client.deleted_at is None or verb == "restore"):
        return
    if not client.admits(actor):
        raise NotFound
    if LLM_CLIENT_RIGHTS[verb] is not Right.READER:
        raise PermissionDenied
