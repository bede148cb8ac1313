"""Changes of the host's models as events, of those that `AUTOMATE_WATCHED_MODELS` names.

The event is stored in the transaction of the change where there is one, and is undone with it. Of a model in another
database it is stored once that has committed. A change whose event cannot be stored is an error where it was made: what
watches would otherwise be wrong without anybody knowing.
"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.db import router, transaction
from django.db.models.signals import post_delete, post_save
from django.utils.module_loading import import_string

from automate.conf import settings
from automate.models import Trigger
from automate.services.own_events import MODEL, source_of_model, tell
from automate.services.waits import awaited
from automate_api.conf import settings as api_settings
from automate_api.ids import uuid7
from automate_api.models import Event
from automate_api.tenancy import MAX_LENGTH

CREATED, UPDATED, DELETED = "created", "updated", "deleted"

#: Apps of this package, whose models are not watched: their changes have events of their own, or would cause more.
OWN_APPS = ("automate_api", "automate", "automate_modal")

_UID = "automate.watching"

#: The tenant of hosts that have one.
_ONLY_TENANT = "default"


def connect() -> None:
    """Watch the models that the settings name now: proxies of theirs too, and models that inherit from them."""
    for label in settings.watched_models:
        watched = model_of(label)
        for model in apps.get_models() if is_watchable(watched) else ():
            if issubclass(model, watched):
                post_save.connect(_saved, sender=model, dispatch_uid=_UID)
                post_delete.connect(_deleted, sender=model, dispatch_uid=_UID)


def is_watchable(model: Any) -> bool:
    """Whether a model has rows of its own, and is none of this package's."""
    return model is not None and not model._meta.proxy and model._meta.app_label not in OWN_APPS  # noqa: SLF001 - public


def model_of(label: str) -> Any:
    """The installed model with this label; None where there is none."""
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def field_of(model: Any, name: str) -> Any:
    """The column of `model` with this name; None where there is none."""
    try:
        field = model._meta.get_field(name)  # noqa: SLF001
    except FieldDoesNotExist:
        return None
    return field if field.concrete and not field.many_to_many else None


def _saved(*, instance: Any, created: bool, raw: bool, using: str, **kwargs: Any) -> None:
    # Fixtures are loaded as they were, and nothing has happened.
    if not raw:
        for label, model, watched in _watched():
            # One that inherits is one of these as well.
            if isinstance(instance, model):
                _tell_of(instance, label, watched, change=CREATED if created else UPDATED, using=using)


def _deleted(*, instance: Any, using: str, **kwargs: Any) -> None:
    for label, model, watched in _watched():
        # Of one that inherits Django deletes the row here by itself, and tells of it.
        if instance._meta.concrete_model is model:  # noqa: SLF001
            _tell_of(instance, label, watched, change=DELETED, using=using)


def _watched() -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    for label, watched in settings.watched_models.items():
        model = model_of(label)
        if is_watchable(model):
            yield label, model, watched


def _tell_of(instance: Any, label: str, watched: Mapping[str, Any], *, change: str, using: str) -> None:
    tenant_id = _tenant_of(instance, watched.get("tenant"))
    if tenant_id is None or not _is_wanted(tenant_id, label):
        return
    fields = _fields(instance, watched.get("fields", ()), using)
    payload = {"model": label, "pk": _plain(instance.pk), "change": change, "fields": fields}
    if len(json.dumps(payload, ensure_ascii=False).encode()) > api_settings.event_max_bytes:
        payload |= {"fields": {}, "truncated": True}
    item = {"type": MODEL, "source": source_of_model(label), "payload": payload}
    store = partial(tell, [item], tenant_id=tenant_id, correlation_id=uuid7().hex)
    if using == router.db_for_write(Event):
        store()
    else:
        transaction.on_commit(store, using=using)


def _is_wanted(tenant_id: str, label: str) -> bool:
    """Whether a trigger of the tenant is for changes of this model, or one of its runs waits for such."""
    triggers = Trigger.objects.filter(tenant_id=tenant_id, kind=Trigger.Kind.MODEL, pattern=label, enabled=True)
    return triggers.filter(workflow__enabled=True).exists() or bool(awaited(tenant_id, {MODEL}))


def _tenant_of(instance: Any, said: Any) -> str | None:
    """The tenant that a row belongs to; None where it has none.

    Raises:
        ImproperlyConfigured: it is none that a row of ours can hold.
    """
    if said is None:
        return _ONLY_TENANT
    tenant = import_string(said)(instance) if "." in said else getattr(instance, said)
    if tenant is None or tenant == "":
        return None
    if len(str(tenant)) > MAX_LENGTH or "\x00" in str(tenant):
        raise ImproperlyConfigured(f"AUTOMATE_WATCHED_MODELS: {said} gave a tenant of more than 64 characters.")
    return str(tenant)


def _fields(instance: Any, names: Any, using: str) -> dict[str, Any]:
    model = type(instance)
    columns = {name: column.attname for name in names if (column := field_of(model, name)) is not None}
    values = {name: getattr(instance, attname) for name, attname in columns.items()}
    unknown = [name for name, value in values.items() if hasattr(value, "resolve_expression")]
    if unknown:
        # Such as `F("stock") - 1`: only the database knows what came of it.
        rows = model._base_manager.using(using).filter(pk=instance.pk)  # noqa: SLF001
        values |= dict(zip(unknown, rows.values_list(*(columns[name] for name in unknown)).get(), strict=True))
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    """`value` as JSON has it. What no number is, is null, and what else JSON does not know is its text."""
    text = json.dumps(value, cls=_Encoder)
    return json.loads(text, parse_constant=lambda _name: None)


class _Encoder(DjangoJSONEncoder):
    """Anything that a field may hold, such as a file by its name."""

    def default(self, o: Any) -> Any:
        try:
            return super().default(o)
        except TypeError:
            return str(o)
