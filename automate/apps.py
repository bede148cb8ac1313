"""Django's entry to `automate`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AutomateConfig(AppConfig):
    """Workflows, their triggers and their rules."""

    name = "automate"
    verbose_name = _("Automate workflows")
    default_auto_field = "django.db.models.BigAutoField"
