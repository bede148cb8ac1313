"""What of workflows runs as an execution."""

from automate.capabilities import run, step

__all__ = ["run", "step"]
