"""Workflows: from events that are posted to runs that have ended, beside the bare engine that carries them."""
