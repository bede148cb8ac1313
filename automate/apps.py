"""Django's entry to `automate`."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AutomateConfig(AppConfig):
    """Workflows, their triggers and their rules."""

    name = "automate"
    verbose_name = _("Automate workflows")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the steps, what runs them, and what follows when they have ended."""
        import_module("automate.capabilities")
        import_module("automate.services.carried")
