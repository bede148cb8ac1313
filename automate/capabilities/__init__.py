"""What of workflows runs as an execution."""
