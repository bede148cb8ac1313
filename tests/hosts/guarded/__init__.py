"""A host whose views have origins, limits and idempotency keys, on the package's bases and on plain ones."""
