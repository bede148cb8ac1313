"""Settings of a view."""

from typing import Any

from django.conf import settings

from automate_api.v1.base.order import ViewMixin


class ConfigurableMixin(ViewMixin):
    """Reads the host's settings, live.

    Override:
        setting_prefix ("AUTOMATE_API"): what the settings' names begin with.
    """

    setting_prefix = "AUTOMATE_API"

    def get_setting(self, name: str, default: Any = None) -> Any:
        """The value of `<setting_prefix>_<name>` in Django's settings now, else `default`."""
        return getattr(settings, f"{self.setting_prefix}_{name}", default)
