"""The benchmark's app: a handler that does nothing, and a step that does nothing in a worker."""

from django.apps import AppConfig


class WorkflowsBenchConfig(AppConfig):
    """Registers both."""

    name = "benchmarks.workflows"
    label = "workflows_bench"

    def ready(self) -> None:
        """Register them."""
        from benchmarks.workflows import parts  # noqa: F401, PLC0415 - models must be loaded
