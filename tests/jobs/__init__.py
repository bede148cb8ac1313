"""Jobs and the deaths of those who work on them."""
