"""Django's entry to the example host's tenants."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Tenants and their members."""

    name = "example_project.tenants"
    default_auto_field = "django.db.models.BigAutoField"
