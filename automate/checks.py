"""System checks: what would only be found out in production otherwise. Ids are never used again."""

import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from automate.conf import settings
from automate.services.watching import field_of, is_watchable, model_of
from automate_api.security.secrets import SecretField

TAG = "automate"

_SECRET_NAME = re.compile(r"auth|cookie|hash|passw|private|secret|signature|token|(?:^|_)key", re.IGNORECASE)
_WATCHED = "AUTOMATE_WATCHED_MODELS"


@register(TAG)
def check_extra(**kwargs: Any) -> list[CheckMessage]:
    """W001: what rules and schedules need is not installed."""
    missing = [name for name, module in (("cel-python", "celpy"), ("cronsim", "cronsim")) if find_spec(module) is None]
    if not missing:
        return []
    message = f"Workflows cannot run without {' and '.join(missing)}: what needs them answers 503."
    hint = "Install django-automate-api[workflows]; or silence this if nobody makes workflows."
    return [checks.Warning(message, hint=hint, id="automate.W001")]


@register(TAG)
def check_numbers(**kwargs: Any) -> list[CheckMessage]:
    """E002: a setting that is a number is none, or too small a one."""
    found, times, retention = [], settings.get("CATCH_UP", 1), settings.workflow_run_retention
    if not str(times).isdecimal() or int(times) < 1:
        found.append(_misnumbered("CATCH_UP", times, "a whole number of at least 1"))
    if retention is not None and not _is_positive(retention):
        found.append(_misnumbered("WORKFLOW_RUN_RETENTION", retention, "a number of seconds above zero, or None"))
    return found


def _is_positive(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value < float("inf")


def _misnumbered(name: str, value: Any, wanted: str) -> CheckMessage:
    return Error(f"AUTOMATE_{name} is {value!r}.", hint=f"Write {wanted}.", id="automate.E002")


@register(TAG)
def check_watched_models(**kwargs: Any) -> list[CheckMessage]:
    """E003, W004: models that cannot be watched; fields that look as if they held secrets."""
    models: Any = settings.watched_models
    if not isinstance(models, Mapping):
        return [_unwatchable("", "is not a mapping")]
    found: list[CheckMessage] = []
    for label, watched in models.items():
        found += [_unwatchable(f"[{label!r}]", problem) for problem in _problems(label, watched)]
        found += [_secret(label, name) for name in _secrets(label, watched)]
    return found


def _problems(label: Any, watched: Any) -> Iterator[str]:
    model = model_of(label) if isinstance(label, str) else None
    if model is None:
        yield "is no model that is installed"
    elif not is_watchable(model):
        yield "is a proxy, or a model of this package's, and is not watched"
    elif label != model._meta.label:  # noqa: SLF001 - Django's public _meta
        yield f"is written {model._meta.label!r}"  # noqa: SLF001
    elif not isinstance(watched, Mapping) or set(watched) - {"tenant", "fields"}:
        yield "is not a mapping of tenant and fields"
    else:
        yield from _tenant_problems(model, watched.get("tenant"))
        yield from _field_problems(model, watched.get("fields", ()))


def _tenant_problems(model: Any, tenant: Any) -> Iterator[str]:
    if tenant is None:
        return
    if not isinstance(tenant, str):
        yield "has a tenant that is neither an attribute nor a dotted path"
    elif "." not in tenant:
        if field_of(model, tenant) is None and not hasattr(model, tenant):
            yield f"has a tenant that its rows do not have: {tenant!r}"
    else:
        try:
            is_callable = callable(import_string(tenant))
        except ImportError as exc:
            yield f"has a tenant that leads nowhere: {exc}"
        else:
            if not is_callable:
                yield f"has a tenant that cannot be called: {tenant}"


def _field_problems(model: Any, names: Any) -> Iterator[str]:
    if not isinstance(names, list | tuple):
        yield "has fields that are no list"
        return
    for name in names:
        field = field_of(model, name) if isinstance(name, str) else None
        if field is None:
            yield f"has no field {name!r} with a column of its own"
        elif isinstance(field, SecretField):
            yield f"tells a secret: {name!r}"


def _secrets(label: Any, watched: Any) -> list[str]:
    names = watched.get("fields", ()) if isinstance(watched, Mapping) else ()
    names = names if isinstance(names, list | tuple) else ()
    return [name for name in names if isinstance(name, str) and _SECRET_NAME.search(name)]


def _unwatchable(place: str, problem: str) -> CheckMessage:
    hint = "Write {'shop.Order': {'tenant': 'tenant_id', 'fields': ['status', 'total']}}."
    return Error(f"{_WATCHED}{place} {problem}.", hint=hint, id="automate.E003")


def _secret(label: str, name: str) -> CheckMessage:
    message = f"{_WATCHED}[{label!r}] tells {name!r} in events, which staff and workflows read: it looks like a secret."
    return checks.Warning(message, hint="Leave it out; or silence this if it is none.", id="automate.W004")
