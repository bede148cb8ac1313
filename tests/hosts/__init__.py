"""Host projects that tests run in, each a package with its settings."""
