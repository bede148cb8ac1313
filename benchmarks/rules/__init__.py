"""Rules: ours beside other implementations of the language."""
