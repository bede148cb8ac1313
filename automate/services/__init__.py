"""Workflows, by their nouns: no request, no response, no status."""

from automate.services.workflows import WorkflowService

__all__ = ["WorkflowService"]
