"""Rules, as callers try them."""

from typing import Any

from automate.rules import RuleError, compile_rule
from automate_api.exceptions import FieldError, InvalidInput


def explain_rule(rule: str, context: dict[str, Any]) -> dict[str, Any]:
    """What `rule` gives in `context` and why, as JSON.

    Raises:
        InvalidInput: the rule cannot be read; `line` and `column` say where.
        NotConfigured: the host lacks the extra for rules.
    """
    try:
        compiled = compile_rule(rule)
    except RuleError as exc:
        refused = InvalidInput([FieldError("rule", "invalid_rule", exc.message)])
        refused.extensions |= {"line": exc.line, "column": exc.column}
        raise refused from exc
    found: dict[str, Any] = compiled.explain(context).as_json()
    return found
