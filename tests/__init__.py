"""The test suite: one folder a package, one file a module."""
