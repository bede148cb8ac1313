"""The views of workflows that have no rows of their own."""

from automate.api.hooks import HookView
from automate.api.rules import RuleExplainView

__all__ = ["HookView", "RuleExplainView"]
