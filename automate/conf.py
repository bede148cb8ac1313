"""Settings of `automate`: one typed, documented property each, read live from Django's settings."""

from typing import Any

from django.conf import settings as django_settings


class Settings:
    """Typed view of the `AUTOMATE_*` settings that are this app's."""

    prefix = "AUTOMATE"

    def get(self, name: str, default: Any = None) -> Any:
        """The value of `<prefix>_<name>` in Django's settings, else `default`."""
        return getattr(django_settings, f"{self.prefix}_{name}", default)

    @property
    def rule_max_length(self) -> int:
        """`AUTOMATE_RULE_MAX_LENGTH`: the longest rule, in characters."""
        return int(self.get("RULE_MAX_LENGTH", 4096))

    @property
    def rule_cost(self) -> int:
        """`AUTOMATE_RULE_COST`: the steps that one evaluation of a rule may take; a step is about a microsecond."""
        return int(self.get("RULE_COST", 10_000))

    @property
    def rule_max_bytes(self) -> int:
        """`AUTOMATE_RULE_MAX_BYTES`: how much one evaluation of a rule may make: texts, lists, maps, and its result."""
        return int(self.get("RULE_MAX_BYTES", 1_000_000))


settings = Settings()
