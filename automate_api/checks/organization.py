"""Tokens of organizations can be signed, and maintenance mode is what it is meant to be."""

from collections.abc import Iterator
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, register

from automate_api.checks.reading import TAG, listed, url_patterns
from automate_api.conf import settings
from automate_api.organization.views import OrganizationView
from automate_api.services.tokens import SHORTEST_KEY, usable_signing_keys

_MAKE_A_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"


@register(TAG)
def check_signing_keys(**kwargs: Any) -> list[CheckMessage]:
    """E040: a value of `AUTOMATE_API_SIGNING_KEYS` is no key, is too short to be safe, or is there twice."""
    hint = f"Make one with: {_MAKE_A_KEY}"
    return [
        Error(f"AUTOMATE_API_SIGNING_KEYS[{place}] {problem}.", hint=hint, id="automate_api.E040")
        for place, problem in _unusable(list(listed(settings.signing_keys)))
    ]


def _unusable(keys: list[Any]) -> Iterator[tuple[int, str]]:
    # A key itself is never told.
    for place, key in enumerate(keys):
        if not isinstance(key, str):
            yield place, "is not a string"
        elif len(key.encode()) < SHORTEST_KEY:
            yield place, f"has less than {SHORTEST_KEY} bytes, and is not used"
        elif key in keys[:place]:
            yield place, "is there before"


@register(TAG)
def check_tokens(**kwargs: Any) -> list[CheckMessage]:
    """W039: the organization routes are mounted, and no token can be signed."""
    if usable_signing_keys() or not any(_is_organization(pattern.callback) for pattern in url_patterns()):
        return []
    message = "The organization routes answer 503: AUTOMATE_API_SIGNING_KEYS has no key to sign tokens with."
    hint = f"Set it to a list with one, made with: {_MAKE_A_KEY}"
    return [checks.Warning(message, hint=hint, id="automate_api.W039")]


def _is_organization(callback: Any) -> bool:
    view = getattr(callback, "cls", None)
    return isinstance(view, type) and issubclass(view, OrganizationView)


@register(TAG)
def check_maintenance(**kwargs: Any) -> list[CheckMessage]:
    """E041: `AUTOMATE_API_MAINTENANCE` is neither True nor False; whatever is not false counts as True."""
    value = settings.get("MAINTENANCE", False)
    if isinstance(value, bool):
        return []
    message = f"AUTOMATE_API_MAINTENANCE is {value!r}, which is neither True nor False."
    hint = "How long callers are to wait stands in AUTOMATE_API_MAINTENANCE_RETRY_AFTER."
    return [Error(message, hint=hint, id="automate_api.E041")]
