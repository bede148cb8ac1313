"""Checking a definition: whatever is accepted here runs to an end, and whatever is refused says which step is wrong."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from automate.graph.bounds import check_bounds
from automate.graph.findings import Enough, Findings
from automate.graph.levels import Level
from automate.graph.schema import FRAME
from automate.graph.settings import check_expressions, check_rule
from automate.graph.step_types import TypeLookup
from automate.graph.visible import EVENT, RUN, Visible
from automate.rules import Type
from automate_api.engine.json_schema import check_schema, check_value
from automate_api.exceptions import FieldError


def check_definition(
    definition: Any, *, types: TypeLookup, secrets: Iterable[str] | None = None, field: str = "definition"
) -> list[FieldError]:
    """What is wrong with a definition, at most `MOST_ERRORS`; empty where it may be stored.

    Each error names the step it is of: `definition.steps.<name>.with.url`, with the step's index where it has no name.
    `docs/reference/workflow-definitions.md` lists the codes.

    Args:
        definition: anything; it is looked at in bounded time.
        types: the types of steps there are.
        secrets: the names of the workflow's secrets; None: any may be named.
        field: what the definition itself is called.

    Raises:
        NotConfigured: it has a rule, and the extra `workflows` is not installed.
    """
    findings = Findings(types, secrets, field=field)
    # Enough is no fault: nobody reads more errors than that.
    with suppress(Enough):
        check_bounds(definition, findings)
        _check(definition, findings)
    return findings.errors


def _check(definition: Any, findings: Findings) -> None:
    field = findings.field
    findings.extend(check_value(definition, FRAME, field=field))
    if not isinstance(definition, dict):
        return
    condition, input_schema, steps = (definition.get(name) for name in ("condition", "input_schema", "steps"))
    if condition and isinstance(condition, str):
        check_rule(condition, Visible({"event": EVENT}), findings, wants=Type.BOOL, field=f"{field}.condition")
    if input_schema and isinstance(input_schema, dict):
        findings.extend(check_schema(input_schema, field=f"{field}.input_schema"))
    everywhere = Visible({"event": EVENT, "run": RUN, "steps": {}})
    level = Level(
        steps if isinstance(steps, list) else [], findings, field=f"{field}.steps", outer=everywhere, taken=frozenset()
    )
    level.check()
    check_expressions(
        definition.get("output"), everywhere.with_steps(level.types, ()), findings, field=f"{field}.output"
    )
