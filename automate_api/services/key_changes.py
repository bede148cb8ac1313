"""Announces whatever changes API keys and users through Django's models: the API, the admin, a host's own code.

`QuerySet.update()`, `bulk_update()` and SQL send no signals: who uses them calls `changing()` of `freshness.py`.
"""

from collections.abc import Collection, Iterator
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connections, models
from django.db.models.signals import post_save, pre_delete, pre_save

from automate_api.models import APIKey
from automate_api.services.cached_keys import kept_of_users
from automate_api.services.freshness import Change, changing, in_transaction, shared_cache

_PENDING = "_automate_change"


def connect() -> None:
    """Listen to every model whose rows are API keys or users."""
    keys = (model for model in apps.get_models() if issubclass(model, APIKey))
    for model in (*keys, *user_models()):
        uid = f"automate_api.key_changes.{model._meta.label}"  # noqa: SLF001 - Django's public _meta
        pre_save.connect(_before_save, sender=model, dispatch_uid=uid)
        post_save.connect(_after_save, sender=model, dispatch_uid=uid)
        pre_delete.connect(_before_delete, sender=model, dispatch_uid=uid)


def user_models() -> Iterator[type[models.Model]]:
    """The model of users, its parents, children and proxies: whichever is saved is the sender."""
    user = get_user_model()
    return (model for model in apps.get_models() if issubclass(model, user) or issubclass(user, model))


def _before_save(
    sender: type[models.Model],
    instance: models.Model,
    using: str,
    update_fields: Collection[str] | None = None,
    **kwargs: Any,
) -> None:
    if instance.pk is not None and _matters(instance, update_fields):
        _announce(instance, using)


def _after_save(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    change = vars(instance).pop(_PENDING, None)
    if change is not None:
        change.end()


def _before_delete(sender: type[models.Model], instance: models.Model, using: str, **kwargs: Any) -> None:
    _announce(instance, using)


def _matters(instance: models.Model, update_fields: Collection[str] | None) -> bool:
    """Whether what a save changes decides anything: a sign-in, which changes `last_login`, does not."""
    if update_fields is None:
        return True
    if isinstance(instance, APIKey):
        return not set(update_fields) <= {"last_used_at"}
    kept = set(kept_of_users())
    return not kept.isdisjoint(update_fields)


def _announce(instance: models.Model, using: str) -> None:
    if shared_cache() is None:
        return
    # As the database has it: whoever made the instance may have given the text of a UUID.
    pk: Any = instance._meta.pk.to_python(instance.pk)  # noqa: SLF001 - Django's public _meta
    scope = f"key:{pk.hex}" if isinstance(instance, APIKey) else f"user:{pk}"
    connection = connections[using]
    # A host's users do not depend on our cache, and to refuse would let a key that is to end go on for longer.
    if connection.in_atomic_block:
        changing(scope, using=using, required=False)
        return
    change = Change([scope], using=using, required=False)
    # A single save commits itself, and is over when it has been made. Where whoever calls commits, it ends by itself.
    if not in_transaction(connection):
        vars(instance)[_PENDING] = change
