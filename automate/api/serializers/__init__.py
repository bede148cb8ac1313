"""Workflows on the wire."""

# Their examples and tags are added to those of the ground floor.
from automate.api import described

__all__ = ["described"]
