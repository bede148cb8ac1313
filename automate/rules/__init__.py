"""Rules: expressions of the Common Expression Language, bounded and explained.

Importing this imports no optional package; the first rule that is compiled does.
"""

from automate.rules.budget import Budget
from automate.rules.errors import Kind, RuleError, RuleFailed
from automate.rules.explanation import Explanation
from automate.rules.rule import Rule, compile_rule
from automate.rules.types import Type

__all__ = ["Budget", "Explanation", "Kind", "Rule", "RuleError", "RuleFailed", "Type", "compile_rule"]
