"""Settings of `automate`: one typed, documented property each, read live from Django's settings."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings as django_settings


class Settings:
    """Typed view of the `AUTOMATE_*` settings that are this app's."""

    prefix = "AUTOMATE"

    def get(self, name: str, default: Any = None) -> Any:
        """The value of `<prefix>_<name>` in Django's settings, else `default`."""
        return getattr(django_settings, f"{self.prefix}_{name}", default)

    @property
    def catch_up(self) -> int:
        """`AUTOMATE_CATCH_UP`: how many times that a schedule has missed are made up for, the latest, where all are."""
        return int(self.get("CATCH_UP", 100))

    @property
    def watched_models(self) -> Mapping[str, Mapping[str, Any]]:
        """`AUTOMATE_WATCHED_MODELS`: the host's models whose changes may start workflows, by `"app.Model"`.

        Each value has `tenant`, an attribute of the instance or the dotted path of a function of it, and `fields`, the
        names of those that an event tells.
        """
        models: Mapping[str, Mapping[str, Any]] = self.get("WATCHED_MODELS", {})
        return models

    @property
    def hook_rate_limit(self) -> str:
        """`AUTOMATE_HOOK_RATE_LIMIT`: how often the address of a hook may be called."""
        return str(self.get("HOOK_RATE_LIMIT", "120/minute"))

    @property
    def rule_max_length(self) -> int:
        """`AUTOMATE_RULE_MAX_LENGTH`: the longest rule, in characters."""
        return int(self.get("RULE_MAX_LENGTH", 4096))

    @property
    def rule_cost(self) -> int:
        """`AUTOMATE_RULE_COST`: the steps that an evaluation of a rule may take, two or three microseconds each."""
        return int(self.get("RULE_COST", 10_000))

    @property
    def rule_max_bytes(self) -> int:
        """`AUTOMATE_RULE_MAX_BYTES`: how much one evaluation of a rule may make: texts, lists, maps, and its result."""
        return int(self.get("RULE_MAX_BYTES", 1_000_000))

    @property
    def step_output_max_bytes(self) -> int:
        """`AUTOMATE_STEP_OUTPUT_MAX_BYTES`: how large the output of a step or of a run may be, as JSON."""
        return int(self.get("STEP_OUTPUT_MAX_BYTES", 256 * 1024))

    @property
    def max_depth(self) -> int:
        """`AUTOMATE_MAX_DEPTH`: how many runs may lead, each to the next, to a run, that one included."""
        return int(self.get("MAX_DEPTH", 5))

    @property
    def workflow_run_retention(self) -> float | None:
        """`AUTOMATE_WORKFLOW_RUN_RETENTION`: seconds for which a run is kept after its end; None: for ever."""
        seconds: float | None = self.get("WORKFLOW_RUN_RETENTION")
        return seconds


settings = Settings()
