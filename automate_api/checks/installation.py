"""The apps that are used are installed."""

from typing import Any

from django.apps import apps
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from automate_api.checks.reading import TAG

# Without them everything imports and answers, with something missing that nobody looks for.
_NEEDED = {
    "rest_framework": "its translations and the templates of its own pages",
    "django_filters": "the translations of its errors",
    "drf_spectacular": "the command spectacular and the checks of the schema",
    "corsheaders": "the checks of its settings",
}


@register(TAG)
def check_apps(**kwargs: Any) -> list[CheckMessage]:
    """E008: an app that this one stands on is not in `INSTALLED_APPS`."""
    return [
        Error(
            f"{app} is not in INSTALLED_APPS: {lost} are missing.",
            hint=f"Add {app!r} to INSTALLED_APPS; it is installed already.",
            id="automate_api.E008",
        )
        for app, lost in _NEEDED.items()
        if not apps.is_installed(app)
    ]


@register(TAG)
def check_schema_pages(**kwargs: Any) -> list[CheckMessage]:
    """W005: the pages that show the schema have no assets."""
    if apps.is_installed("drf_spectacular_sidecar"):
        return []
    message = "The pages docs/ and redoc/ answer 503: drf_spectacular_sidecar is not in INSTALLED_APPS."
    hint = "Install django-automate-api[schema-ui] and add it, or silence this check. The schema itself is served."
    return [checks.Warning(message, hint=hint, id="automate_api.W005")]
