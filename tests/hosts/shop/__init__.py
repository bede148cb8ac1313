"""A host's own app, whose views stand on the package's base classes."""
