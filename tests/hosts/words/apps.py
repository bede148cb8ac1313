"""The host's app."""

from django.apps import AppConfig


class WordsConfig(AppConfig):
    """Registers the capability."""

    name = "tests.hosts.words"

    def ready(self) -> None:
        from tests.hosts.words import capabilities  # noqa: F401, PLC0415 - registers it
