"""A host that real servers serve in processes of their own; `tests/servers.py` starts them."""
