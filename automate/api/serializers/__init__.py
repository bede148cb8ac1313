"""Forms of workflows on the wire."""
