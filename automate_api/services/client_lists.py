"""LLM clients as front ends list them: in numbered pages, and whom to ask about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import router
from django.utils.translation import gettext_lazy as _

from automate_api.exceptions import FieldError, InvalidInput
from automate_api.models import Actor, LLMClient
from automate_api.tenancy import members_of, users_have

#: Which LLM clients each word means: all that the actor may read, its own, other people's that are shared with it.
OWNERSHIP: Mapping[str, Callable[[Any, Actor], Any]] = {
    "all": lambda rows, actor: rows.readable_by(actor),
    "owned": lambda rows, actor: rows.owned_by(actor),
    "shared": lambda rows, actor: rows.shared_with(actor),
}


@dataclass(frozen=True, slots=True)
class ClientPage:
    """One page: its LLM clients, with provider and shares; its number from 1; how many a page has, and all pages."""

    clients: list[LLMClient]
    number: int
    size: int
    count: int


def list_llm_clients(*, actor: Actor, ownership: str, number: int, size: int) -> ClientPage:
    """Page `number` of `size` of the LLM clients that `actor` may read, those changed last first. Three queries.

    Args:
        actor: who asks.
        ownership: a word of `OWNERSHIP`.
        number: from 1. The first page is always there, if only an empty one.
        size: rows on a page.

    Raises:
        InvalidInput: the list ends before that page.
    """
    # Of the database that is written to: what is kept of a replica might be behind.
    rows = OWNERSHIP[ownership](LLMClient.objects.using(router.db_for_write(LLMClient)), actor)
    count, first = rows.count(), (number - 1) * size
    if number > 1 and first >= count:
        raise InvalidInput([FieldError("page", "out_of_range", str(_("The list has no such page.")))])
    # Ties are settled, so that each is on one page.
    ordered = rows.select_related("provider").with_shares().order_by("-updated_at", "-pk")
    return ClientPage(list(ordered[first : first + size]) if count else [], number, size, count)


def administrator_of(tenant_id: str | None) -> Any:
    """Whom the members of a tenant turn to: the first of its active staff by id; None where there is nobody."""
    columns = {"is_staff": True, "is_active": True}
    if tenant_id is None or not users_have("is_staff"):
        return None
    known = {name: value for name, value in columns.items() if users_have(name)}
    users = members_of(tenant_id).using(router.db_for_write(get_user_model()))
    return users.filter(**known).order_by("pk").first()


def email_of(user: Any) -> str | None:
    """The e-mail address of a user; None where the host's users have none."""
    address = getattr(user, user.get_email_field_name(), None)
    return address if isinstance(address, str) else None
