"""The host that is measured: the package as a project would install it, filled by `seed`."""
