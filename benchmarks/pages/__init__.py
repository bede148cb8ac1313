"""Pages far into a long list beside the first one."""
