"""A host whose tenants are its organizations, of which each user has one."""
