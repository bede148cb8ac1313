"""Django's entry to `automate_api`."""

from importlib import import_module

from corsheaders.signals import check_request_enabled
from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AutomateAPIConfig(AppConfig):
    """The ground floor: domain, engine, base views and the version 1 API."""

    name = "automate_api"
    verbose_name = _("Automate API")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the core's capabilities, system checks and receivers, which need the models to be loaded."""
        import_module("automate_api.capabilities")
        import_module("automate_api.checks")
        import_module("automate_api.v1.checks")
        import_module("automate_api.services.client_changes").connect()
        import_module("automate_api.services.key_changes").connect()
        cors = import_module("automate_api.v1.base.cors")
        check_request_enabled.connect(cors.admit_in_middleware, dispatch_uid="automate_api.cors")
