"""The host's app."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Registers the capabilities and the handlers of events."""

    name = "tests.hosts.jobs"
    label = "killed_jobs"

    def ready(self) -> None:
        from tests.hosts.jobs import capabilities, handlers  # noqa: F401, PLC0415 - registers them
