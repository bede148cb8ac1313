"""The benchmark's app: it offers a task type that does nothing but note when it began."""

from django.apps import AppConfig


class JobsBenchConfig(AppConfig):
    """Registers the capability."""

    name = "benchmarks.jobs"
    label = "jobs_bench"

    def ready(self) -> None:
        """Register it."""
        from benchmarks.jobs import capability  # noqa: F401, PLC0415 - models must be loaded
