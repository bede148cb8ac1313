"""Hosts that tests run in: projects with their settings, and apps."""
