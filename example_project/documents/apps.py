"""Django's entry to the example host's documents."""

from importlib import import_module

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """Documents: their words are counted."""

    name = "example_project.documents"

    def ready(self) -> None:
        """Register the capability and the handler."""
        import_module("example_project.documents.capabilities")
        import_module("example_project.documents.handlers")
