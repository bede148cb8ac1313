"""Announces whatever changes lists of LLM clients: by the services, the admin, a host's own `save()` and `delete()`.

What a caller sees of them depends on the LLM clients, shares and providers of its tenant (`tenant:<id>`), and on who
the users are and which groups they are in (`people`). `QuerySet.update()`, `bulk_create()`, `bulk_update()`,
`delete()` of rows of `User.groups.through` and SQL send no signals, and neither does a host's own table that says who
belongs to a tenant: whoever uses those calls `changing()` of `freshness.py` first, in the same transaction.

Where the shared cache does not answer, the services refuse. What a host saves and deletes is not refused: neither its
users nor its admin depend on our cache.
"""

# ruff: noqa: SLF001 - `_meta` and `_base_manager` are public names of Django's

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connections, models, router
from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save

from automate_api.models import ChangeCounter, LLMClient, LLMClientShare, Provider
from automate_api.services.freshness import Change, changing, in_transaction, shared_cache
from automate_api.services.key_changes import user_models

#: What changes with anything of any user, and of who is in which group.
PEOPLE = "people"

# Signing in changes the one and a new password the other, and nobody is shown either.
_UNSEEN = frozenset({"last_login", "password"})

_PENDING = "_automate_list_change"

# What was announced inside the innermost `ending_what_is_undone()`.
_begun: ContextVar[list[Change] | None] = ContextVar("automate_begun", default=None)


def scope_of_tenant(tenant_id: str) -> str:
    """What changes with any LLM client, share or provider of the tenant."""
    return f"tenant:{tenant_id}"


def announce(*scopes: str, using: str | None = None, required: bool = True) -> None:
    """`changing()`, unless the present transaction has said so before. Call it before rows are locked.

    Raises:
        TransactionManagementError, CacheUnavailable: as for `changing()`.
    """
    alias = using or router.db_for_write(ChangeCounter)
    unsaid = {*scopes}.difference(*(change._scopes for change in _announced(alias)))
    if unsaid:
        changing(*sorted(unsaid), using=alias, required=required)
        begun = _begun.get()
        if begun is not None:
            begun += list(_announced(alias))[-1:]


@contextmanager
def ending_what_is_undone() -> Iterator[None]:
    """Around a transaction: where an exception undoes it, what was announced inside is over at once.

    Nothing has changed then, and without this nothing could be kept until the announcement ends by itself.
    """
    outer, begun = _begun.get(), list[Change]()
    token = _begun.set(begun)
    try:
        yield
    except BaseException:
        for change in begun:
            change.end()
        raise
    else:
        if outer is not None:
            outer += begun
    finally:
        _begun.reset(token)


def connect() -> None:
    """Listen to the models whose rows decide on what lists show."""
    memberships: Any = getattr(getattr(get_user_model(), "groups", None), "through", None)
    ours: list[type[models.Model]] = [LLMClient, LLMClientShare, Provider]
    for model in (*ours, *user_models(), *([memberships] if memberships else [])):
        # Of a table that Django makes for a relation only `m2m_changed` is sent.
        pre_save.connect(_before_save, sender=model, dispatch_uid=_uid(model))
        post_save.connect(_after_save, sender=model, dispatch_uid=_uid(model))
        if not model._meta.auto_created:
            pre_delete.connect(_before_delete, sender=model, dispatch_uid=_uid(model))
    pre_delete.connect(_before_delete, sender=Group, dispatch_uid=_uid(Group))
    if memberships:
        m2m_changed.connect(_before_joining, sender=memberships, dispatch_uid=_uid(memberships))


def _uid(model: type[models.Model]) -> str:
    return f"automate_api.client_changes.{model._meta.label}"


def _announced(alias: str) -> Iterator[Change]:
    """What is announced until the present transaction ends. What a savepoint undid is no longer there."""
    for registered in connections[alias].run_on_commit:
        change = getattr(registered[1], "__self__", None)
        if isinstance(change, Change):
            yield change


def _before_save(
    sender: type[models.Model],
    instance: models.Model,
    using: str,
    update_fields: Collection[str] | None = None,
    **kwargs: Any,
) -> None:
    if update_fields is not None and set(update_fields) <= _UNSEEN:
        return
    if _is_new_member(instance):
        return
    if connections[using].in_atomic_block:
        announce(_scope(instance), using=using, required=False)
        return
    change = Change([_scope(instance)], using=using, required=False)
    # A single save commits itself, and is over when it has been made. Where whoever calls commits, it ends by itself.
    if not in_transaction(connections[using]):
        vars(instance)[_PENDING] = change


def _after_save(sender: type[models.Model], instance: models.Model, using: str, **kwargs: Any) -> None:
    change = vars(instance).pop(_PENDING, None)
    if change is None:
        return
    if shared_cache() is not None:
        change.end()
    else:
        # Counted before and after: what was read between the two is of neither number.
        Change([_scope(instance)], using=using)


def _before_delete(
    sender: type[models.Model], instance: models.Model, using: str, origin: Any = None, **kwargs: Any
) -> None:
    if isinstance(instance, LLMClientShare) and _model_of(origin) is not LLMClientShare:
        # It goes with its LLM client, its user or its group, which are announced themselves.
        return
    if isinstance(instance, LLMClient) and instance.deleted_at is not None:
        # No list shows it.
        return
    announce(_scope(instance), using=using, required=False)


def _before_joining(sender: type[models.Model], action: str, using: str, **kwargs: Any) -> None:
    if action in {"pre_add", "pre_remove", "pre_clear"}:
        announce(PEOPLE, using=using, required=False)


def _scope(instance: models.Model) -> str:
    if isinstance(instance, LLMClientShare):
        return scope_of_tenant(instance.llm_client.tenant_id)
    return scope_of_tenant(instance.tenant_id) if isinstance(instance, LLMClient | Provider) else PEOPLE


def _is_new_member(instance: Any) -> bool:
    """Whether a user is about to be made that no list shows: it has no id yet, so nothing refers to it."""
    is_new = isinstance(instance, get_user_model()) and instance._state.adding and instance.pk is None
    return bool(is_new and not getattr(instance, "is_staff", False))


def _model_of(origin: Any) -> Any:
    return getattr(origin, "model", type(origin))
