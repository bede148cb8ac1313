"""Jobs beside the engines that carry them, bare, and their event logs before many listeners."""
