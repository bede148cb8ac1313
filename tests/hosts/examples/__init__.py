"""A host made of the documented examples of subclassing, one module of views each."""
