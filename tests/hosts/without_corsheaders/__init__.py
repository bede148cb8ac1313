"""A host that has forgotten django-cors-headers altogether."""
