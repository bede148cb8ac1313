"""Checking the settings of a step, and other values: schemas, expressions, names and types."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from automate.graph.findings import Findings, below
from automate.graph.leaves import Leaf, SecretLeaf
from automate.graph.step_types import RuleField, StepType, bodies_of, places
from automate.graph.values import described, read_value
from automate.graph.visible import Visible
from automate.rules import RuleError, Type
from automate_api.engine.json_schema import Unknown, check_value

_TYPES: Mapping[Type, frozenset[str] | None] = {
    Type.BOOL: frozenset({"boolean"}),
    Type.INT: frozenset({"integer"}),
    Type.UINT: frozenset({"integer"}),
    # JSON Schema calls 1.0 an integer.
    Type.DOUBLE: frozenset({"integer", "number"}),
    Type.NULL: frozenset({"null"}),
    Type.LIST: frozenset({"array"}),
    Type.MAP: frozenset({"object"}),
    Type.DYN: None,
}
_TEXT = frozenset({"string"})


def check_settings(
    settings: Mapping[str, Any],
    step_type: StepType,
    findings: Findings,
    *,
    visible: Visible,
    inside: Visible,
    field: str,
) -> None:
    """Check a step's `with`; `inside` is what the values see that belong to its bodies."""
    outline: dict[str, Any] = {}
    for name, raw in settings.items():
        if name in step_type.literal_fields:
            outline[name] = raw
        else:
            seen = inside if name in step_type.body_values else visible
            secrets = name in step_type.secret_fields
            outline[name] = check_expressions(raw, seen, findings, field=below(field, name), secrets=secrets)
    # The steps of bodies are looked at one by one.
    outline.update({name: body[:1] for name, body in bodies_of(step_type, settings).items()})
    findings.extend(check_value(outline, step_type.schema, field=field, partial=True))
    for rule in step_type.rule_fields:
        _check_rules(settings, rule, visible, findings, field=field)


def _check_rules(settings: Any, rule: RuleField, visible: Visible, findings: Findings, *, field: str) -> None:
    for path, source in places(settings, rule.path):
        if isinstance(source, str):
            seen = visible.with_names(rule.names)
            check_rule(source, seen, findings, wants=rule.wants, field=below(field, *path))


def check_rule(source: str, visible: Visible, findings: Findings, *, wants: Type, field: str) -> None:
    """Check a rule that stands as a plain string and has to give a value of type `wants`."""
    value, faults = read_value({"cel": source}, secrets=False, compile_=findings.compile)
    for fault in faults:
        findings.add(field, fault.code, fault.detail)
    for _path, leaf in value.leaves():
        found = _type_of(leaf, visible, findings, field=field)
        if wants is not Type.DYN and found not in {wants, Type.DYN}:
            detail = _("This must give %(wanted)s, and gives %(found)s.") % {"wanted": wants, "found": found}
            findings.add(field, "wrong_type", detail)


def check_expressions(raw: Any, visible: Visible, findings: Findings, *, field: str, secrets: bool = False) -> Any:
    """Check the expressions in a value, and return it with an `Unknown` in the place of each."""
    value, faults = read_value(raw, secrets=secrets, compile_=findings.compile)
    for fault in faults:
        findings.add(below(field, *fault.path), fault.code, fault.detail)
    unknown: dict[int, Unknown] = {}
    for path, leaf in value.leaves():
        found = _type_of(leaf, visible, findings, field=below(field, *path))
        unknown[id(leaf)] = Unknown(_TYPES.get(found, _TEXT))
    return value.outline(lambda leaf: unknown[id(leaf)])


def _type_of(leaf: Leaf, visible: Visible, findings: Findings, *, field: str) -> Type:
    """The type of what an expression gives; `DYN` where something is wrong with it, which is noted."""
    if isinstance(leaf, SecretLeaf) and findings.secrets is not None and leaf.name not in findings.secrets:
        findings.add(field, "unknown_secret", _("The workflow has no secret of this name."))
    faults = [fault for fault in map(visible.fault_in, leaf.names) if fault is not None]
    for fault in faults:
        findings.add(field, fault.code, fault.detail)
    if faults:
        return Type.DYN
    try:
        return visible.type_of(leaf)
    except RuleError as exc:
        findings.add(field, "invalid_expression", described(exc))
        return Type.DYN
