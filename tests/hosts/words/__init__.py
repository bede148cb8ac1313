"""A host with a capability of its own, which reads a file and writes one."""
