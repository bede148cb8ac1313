"""System checks: what would only be found out in production otherwise. Ids are never used again."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from cryptography.fernet import Fernet
from django.apps import apps
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from automate_api.conf import settings
from automate_api.security.addresses import parse_entry

_MAKE_A_KEY = "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"


@register("automate_api")
def check_encryption_keys(**kwargs: Any) -> list[CheckMessage]:
    """E001: no key for secrets at rest, or one that is not a Fernet key."""
    keys = settings.encryption_keys
    if not keys:
        message = "AUTOMATE_API_ENCRYPTION_KEYS is empty, so no provider key can be stored."
        return [Error(message, hint=f"Make one with: {_MAKE_A_KEY}", id="automate_api.E001")]
    try:
        for key in keys:
            Fernet(key)
    except (ValueError, TypeError):
        message = "AUTOMATE_API_ENCRYPTION_KEYS has a value that is not a Fernet key."
        return [Error(message, hint=f"Make one with: {_MAKE_A_KEY}", id="automate_api.E001")]
    return []


@register("automate_api")
def check_redact_patterns(**kwargs: Any) -> list[CheckMessage]:
    """E002: a pattern of `AUTOMATE_API_REDACT_PATTERNS` is not a regular expression."""
    found: list[CheckMessage] = []
    for place, pattern in enumerate(settings.redact_patterns):
        try:
            re.compile(pattern)
        except (re.error, TypeError) as exc:
            message = f"AUTOMATE_API_REDACT_PATTERNS[{place}] is not a regular expression: {exc}."
            found.append(Error(message, id="automate_api.E002"))
    return found


@register("automate_api")
def check_callables(**kwargs: Any) -> list[CheckMessage]:
    """E003: a dotted path in the settings leads nowhere."""
    paths = {
        "AUTOMATE_API_TENANT_RESOLVER": [settings.tenant_resolver],
        "AUTOMATE_API_TENANT_MEMBERS": [settings.tenant_members],
        "AUTOMATE_API_AUTHENTICATION_CLASSES": settings.authentication_classes,
    }
    return [message for name, values in paths.items() for value in values for message in _importable(name, value)]


def _importable(name: str, path: str) -> list[CheckMessage]:
    try:
        import_string(path)
    except ImportError as exc:
        return [Error(f"{name}: {exc}", hint="Name a callable by its dotted path.", id="automate_api.E003")]
    return []


@register("automate_api")
def check_hosts(**kwargs: Any) -> list[CheckMessage]:
    """E004: an entry of `AUTOMATE_API_PRIVATE_HOSTS` cannot be read."""
    found: list[CheckMessage] = []
    for place, entry in enumerate(settings.private_hosts):
        try:
            parse_entry(entry)
        except ValueError as exc:
            message = f"AUTOMATE_API_PRIVATE_HOSTS[{place}] cannot be read: {exc}."
            hint = "Write a host, host:port, an address, or a network such as 10.0.0.0/8."
            found.append(Error(message, hint=hint, id="automate_api.E004"))
    return found


@register("automate_api")
def check_models(**kwargs: Any) -> list[CheckMessage]:
    """E007: `AUTOMATE_API_MODELS` says something of a model that cannot be understood, and that is ignored."""
    models: Any = settings.models
    if not isinstance(models, Mapping):
        return [_misunderstood(" is not a mapping")]
    return [
        _misunderstood(f"[{name!r}] {problem}") for name, known in models.items() for problem in _model_problems(known)
    ]


def _model_problems(known: Any) -> Iterator[str]:
    if not isinstance(known, Mapping):
        yield "is not a mapping"
        return
    for name in ("input_price", "output_price"):
        if name in known and not _is_price(known[name]):
            yield f"has an {name} that is no number of at least zero"
    if not isinstance(known.get("context_window"), int | None):
        yield "has a context_window that is no whole number"
    if not isinstance(known.get("capabilities", ()), list | tuple):
        yield "has capabilities that are no list"


def _is_price(value: Any) -> bool:
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        return False
    return price.is_finite() and price >= 0


def _misunderstood(problem: str) -> CheckMessage:
    hint = "Write {'model': {'input_price': '0.15', 'output_price': '0.60', 'context_window': 128000}}."
    return Error(f"AUTOMATE_API_MODELS{problem}.", hint=hint, id="automate_api.E007")


@register("automate_api")
def check_schema_pages(**kwargs: Any) -> list[CheckMessage]:
    """W005: the pages that show the schema have no assets."""
    if apps.is_installed("drf_spectacular_sidecar"):
        return []
    message = "The pages docs/ and redoc/ answer 503: drf_spectacular_sidecar is not in INSTALLED_APPS."
    hint = "Install django-automate-api[schema-ui] and add it, or silence this check. The schema itself is served."
    return [checks.Warning(message, hint=hint, id="automate_api.W005")]
