"""The benchmark's app: two tables beside ours, and a handler of one type of events."""

from django.apps import AppConfig


class EventsBenchConfig(AppConfig):
    """Registers the handler."""

    name = "benchmarks.events"
    label = "events_bench"

    def ready(self) -> None:
        """Register it."""
        from benchmarks.events import handlers  # noqa: F401, PLC0415 - models must be loaded
