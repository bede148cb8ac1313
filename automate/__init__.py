"""Workflows: what happens by itself when something has happened, and why."""
