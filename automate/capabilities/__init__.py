"""What of workflows runs as an execution."""

from automate.capabilities import run, step, wake

__all__ = ["run", "step", "wake"]
