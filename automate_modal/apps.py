"""Django's entry to `automate_modal`."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AutomateModalConfig(AppConfig):
    """The multi-modal gateway: runs of an endpoint over HTTP."""

    name = "automate_modal"
    verbose_name = _("Automate multi-modal gateway")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the gateway's capabilities."""
        import_module("automate_modal.capabilities")
