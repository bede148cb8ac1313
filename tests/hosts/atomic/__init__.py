"""A host with a transaction around each request."""
