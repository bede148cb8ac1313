"""A Django host of `automate_api`, small enough to read whole."""
