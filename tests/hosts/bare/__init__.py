"""A host that says nothing of schemas: `DEFAULT_SCHEMA_CLASS` is REST framework's own."""
