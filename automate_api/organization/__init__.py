"""The organization admin API, as existing clients call it."""
