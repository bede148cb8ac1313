"""Workflows on the wire."""
