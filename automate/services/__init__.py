"""Workflows, by their nouns: no request, no response, no status."""
