"""Each setting has a value that can be used."""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from cryptography.fernet import Fernet
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from automate_api.checks.reading import TAG, is_listing, listed
from automate_api.conf import settings
from automate_api.security.limits import is_rate
from automate_api.services.api_keys import MOST_OVERLAP

_MAKE_A_KEY = "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"

_LISTS = ("ENCRYPTION_KEYS", "AUTHENTICATION_CLASSES", "PRIVATE_HOSTS", "REDACT_PATTERNS", "SIGNING_KEYS")
_SECONDS = (
    *("CONNECT_TIMEOUT", "FIRST_BYTE_TIMEOUT", "IDLE_TIMEOUT", "RUN_TIMEOUT"),
    *("LEASE", "HEARTBEAT", "JOB_BACKOFF", "JOB_TIMEOUT"),
    "KEY_LAST_USED_EVERY",
)
# None: for ever.
_RETENTIONS = (
    *("JOB_RETENTION", "JOB_EVENT_RETENTION", "ARTIFACT_RETENTION", "EVENT_RETENTION"),
    *("LLM_CLIENT_RETENTION", "PROMPT_LOG_RETENTION"),
)
# With the least that each may be: a day is what callers are promised for an answer kept under their key.
_WHOLE = {
    "PROXY_COUNT": 0,
    "IDEMPOTENCY_RETENTION": 86_400,
    "MAX_REQUEST_BYTES": 1,
    "MAX_RESPONSE_BYTES": 1,
    "JOB_ATTEMPTS": 1,
    "ARTIFACT_MAX_BYTES": 1,
    "EVENT_MAX_BYTES": 2,
    "MAINTENANCE_RETRY_AFTER": 1,
}


@register(TAG)
def check_encryption_keys(**kwargs: Any) -> list[CheckMessage]:
    """E001: no key for secrets at rest, or one that is not a Fernet key."""
    keys: Any = settings.encryption_keys
    if not keys:
        message = "AUTOMATE_API_ENCRYPTION_KEYS is empty, so no provider key can be stored."
        return [Error(message, hint=f"Make one with: {_MAKE_A_KEY}", id="automate_api.E001")]
    try:
        for key in listed(keys):
            Fernet(key)
    except (ValueError, TypeError):
        message = "AUTOMATE_API_ENCRYPTION_KEYS has a value that is not a Fernet key."
        return [Error(message, hint=f"Make one with: {_MAKE_A_KEY}", id="automate_api.E001")]
    return []


@register(TAG)
def check_redact_patterns(**kwargs: Any) -> list[CheckMessage]:
    """E002: a pattern of `AUTOMATE_API_REDACT_PATTERNS` is not a regular expression."""
    found: list[CheckMessage] = []
    for place, pattern in enumerate(listed(settings.redact_patterns)):
        try:
            re.compile(pattern)
        except (re.error, TypeError) as exc:
            message = f"AUTOMATE_API_REDACT_PATTERNS[{place}] is not a regular expression: {exc}."
            found.append(Error(message, hint="Write it as the module re takes it.", id="automate_api.E002"))
    return found


@register(TAG)
def check_callables(**kwargs: Any) -> list[CheckMessage]:
    """E003: a dotted path in the settings leads nowhere, or to what cannot be called."""
    paths = {
        "AUTOMATE_API_TENANT_RESOLVER": [settings.tenant_resolver],
        "AUTOMATE_API_TENANT_MEMBERS": [settings.tenant_members],
        "AUTOMATE_API_AUTHENTICATION_CLASSES": listed(settings.authentication_classes),
        "AUTOMATE_API_REDACTOR": [] if settings.redactor is None else [settings.redactor],
    }
    hint = "Name a callable by its dotted path."
    return [
        Error(f"{name}: {problem}", hint=hint, id="automate_api.E003")
        for name, values in paths.items()
        for value in values
        if (problem := _uncallable(value))
    ]


def _uncallable(path: Any) -> str | None:
    if not isinstance(path, str):
        return f"{path!r} is no dotted path."
    try:
        return None if callable(import_string(path)) else f"{path} cannot be called."
    except ImportError as exc:
        return str(exc)


@register(TAG)
def check_rate(**kwargs: Any) -> list[CheckMessage]:
    """E017: `AUTOMATE_API_RATE_LIMIT` is not a rate. (Those of views are checked in `v1/checks.py`.)"""
    rate = settings.get("RATE_LIMIT")
    if rate is None or is_rate(rate):
        return []
    message = f"AUTOMATE_API_RATE_LIMIT is {rate!r}, which is not a rate."
    return [Error(message, hint="Write '1000/hour', '10/m' or '5/30s', or None.", id="automate_api.E017")]


@register(TAG)
def check_overlap(**kwargs: Any) -> list[CheckMessage]:
    """E034: `AUTOMATE_API_KEY_OVERLAP` is no number of seconds up to a week."""
    overlap = settings.get("KEY_OVERLAP", 0)
    if str(overlap).isdecimal() and int(overlap) <= MOST_OVERLAP:
        return []
    message = (
        f"AUTOMATE_API_KEY_OVERLAP is {overlap!r}: API keys cannot be rotated unless the request says for how long."
    )
    hint = f"Write a whole number of seconds from 0 to {MOST_OVERLAP}, a week."
    return [Error(message, hint=hint, id="automate_api.E034")]


@register(TAG)
def check_numbers(**kwargs: Any) -> list[CheckMessage]:
    """E018: a setting that is a number is none, or too small a one."""
    return [
        Error(f"AUTOMATE_API_{name} is {value!r}.", hint=f"Write {wanted}.", id="automate_api.E018")
        for name, value, wanted in _misnumbered()
    ]


def _misnumbered() -> Iterator[tuple[str, Any, str]]:
    for name, least in _WHOLE.items():
        value = settings.get(name, least)
        if not str(value).isdecimal() or int(value) < least:
            yield name, value, f"a whole number of at least {least}"
    for name in _SECONDS:
        value = settings.get(name, 1)
        if not _is_positive(value):
            yield name, value, "a number of seconds above zero"
    for name in _RETENTIONS:
        value = settings.get(name)
        if value is not None and not _is_positive(value):
            yield name, value, "a number of seconds above zero, or None"
    jitter = settings.get("JOB_JITTER", 0)
    if jitter != 0 and not _is_positive(jitter):
        yield "JOB_JITTER", jitter, "a number of seconds, or 0"


def _is_positive(value: Any) -> bool:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return False
    return number.is_finite() and number > 0


@register(TAG)
def check_lists(**kwargs: Any) -> list[CheckMessage]:
    """E019: a setting that lists things is a single string, say, whose letters would be taken for them."""
    return [
        Error(f"AUTOMATE_API_{name} is not a list.", hint="Write it in brackets.", id="automate_api.E019")
        for name in _LISTS
        if not is_listing(settings.get(name, ()))
    ]
