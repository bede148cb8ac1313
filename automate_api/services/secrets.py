"""Secrets at rest: what it takes to read them, and the rotation of the key they are stored under."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from automate_api.exceptions import NotConfigured
from automate_api.security.secrets import SecretField

logger = logging.getLogger(__name__)


@contextmanager
def encrypting() -> Iterator[None]:
    """Encryption keys that are missing or wrong are for the host to set right: its log says how.

    Raises:
        NotConfigured: one of them was needed.
    """
    try:
        yield
    except ImproperlyConfigured as exc:
        logger.error("A secret cannot be used: %s", exc)
        raise NotConfigured from exc


def secret_columns() -> list[tuple[type[models.Model], SecretField]]:
    """Every column of every installed app that holds secrets, the host's own included."""
    return [
        (model, field)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields  # noqa: SLF001 - Django's public _meta
        if isinstance(field, SecretField)
    ]


def count_secrets(model: type[models.Model], field: SecretField) -> int:
    """How many rows hold a secret in `field`."""
    return _rows(model, field).count()


def rotate_secrets(model: type[models.Model], field: SecretField, *, batch: int = 500) -> Iterator[bool]:
    """Put every secret of `field` under the first key; yields for each row whether it had to change.

    Interrupted, it can be started again: rows under the first key already are only read. A secret that somebody
    changes meanwhile stays as they left it, which is under the first key too.

    Raises:
        ImproperlyConfigured: no key decrypts a row's secret; the rows before it are done.
    """
    last: Any = None
    while rows := _batch(model, field, last, batch):
        for pk, secret in rows:
            stale = not secret.is_current()
            if stale:
                unchanged = {"pk": pk, field.attname: secret}
                model._base_manager.filter(**unchanged).update(**{field.attname: secret.rotated()})  # noqa: SLF001
            last = pk
            yield stale


def _rows(model: type[models.Model], field: SecretField) -> models.QuerySet[Any]:
    return model._base_manager.exclude(**{field.attname: ""})  # noqa: SLF001 - Django's public name for it


def _batch(model: type[models.Model], field: SecretField, last: Any, size: int) -> list[Any]:
    # By key and not by offset: rows that come and go on the way make none be skipped.
    rows = _rows(model, field).order_by("pk").values_list("pk", field.attname)
    return list((rows if last is None else rows.filter(pk__gt=last))[:size])
