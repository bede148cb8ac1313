"""Django's entry to `automate_api`."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AutomateAPIConfig(AppConfig):
    """The ground floor: domain, engine, base views and the version 1 API."""

    name = "automate_api"
    verbose_name = _("Automate API")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the core's capabilities and system checks, which need the models to be loaded."""
        import_module("automate_api.capabilities")
        import_module("automate_api.checks")
        import_module("automate_api.v1.checks")
