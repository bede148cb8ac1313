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
        """Register the steps, what runs them, what follows when they have ended, and what starts them."""
        import_module("automate.capabilities")
        import_module("automate.services.carried")
        import_module("automate.checks")
        import_module("automate.handlers")
        import_module("automate.services.watching").connect()
        register_duty = import_module("automate_api.services.duties").register_duty
        register_duty("automate.schedules", import_module("automate.services.schedules").run_due, every=1.0)
        register_duty("automate.leftovers", import_module("automate.services.carriers").cancel_leftovers, every=15.0)
