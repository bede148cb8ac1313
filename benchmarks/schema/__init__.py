"""The OpenAPI description of some 140 operations: made for each request, and from the cache."""
