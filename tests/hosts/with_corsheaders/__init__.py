"""A host that has the middleware of django-cors-headers."""
