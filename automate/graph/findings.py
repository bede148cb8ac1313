"""What a check has found so far, and what it may still cost."""

import re
from collections.abc import Iterable
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from automate.graph.schema import MOST_STEPS, NAME_PATTERN
from automate.graph.step_types import TypeLookup
from automate.rules import Rule, compile_rule
from automate_api.exceptions import FieldError

MOST_ERRORS = 50
MOST_EXPRESSIONS = 500
MOST_RULE_CHARACTERS = 16_384
"""All expressions of a definition together."""

_LONGEST_PART = 64
_is_name = re.compile(NAME_PATTERN.replace("$", r"\Z")).match


class Enough(Exception):
    """There is no use in looking further."""


class Findings:
    """One check: its errors, at most `MOST_ERRORS`, and what of its limits is left.

    Attributes:
        errors: what has been found.
        field: what the definition is called.
        types: the types of steps there are.
        secrets: the names of the workflow's secrets; None where they are not known.
    """

    def __init__(self, types: TypeLookup, secrets: Iterable[str] | None, *, field: str) -> None:
        self.errors: list[FieldError] = []
        self.field = field
        self.types = types
        self.secrets = None if secrets is None else frozenset(secrets)
        self._steps = MOST_STEPS
        self._expressions = MOST_EXPRESSIONS
        self._characters = MOST_RULE_CHARACTERS

    def add(self, field: str, code: str, detail: str | Promise) -> None:
        """Note an error.

        Raises:
            Enough: there are as many as anybody reads.
        """
        self.extend([FieldError(field, code, str(detail))])

    def extend(self, errors: Iterable[FieldError]) -> None:
        """Note errors, each once."""
        for error in errors:
            if error not in self.errors:
                self.errors.append(error)
            if len(self.errors) >= MOST_ERRORS:
                raise Enough

    def stop(self, field: str, code: str, detail: str | Promise) -> None:
        """Note an error that ends the check."""
        self.add(field, code, detail)
        raise Enough

    def count_step(self, field: str) -> None:
        """Count a step; the check ends where there are too many."""
        self._steps -= 1
        if self._steps < 0:
            detail = _("A definition has at most %(most)d steps, those of bodies among them.") % {"most": MOST_STEPS}
            self.stop(field, "too_many_steps", detail)

    def compile(self, source: str) -> Rule:
        """Compile a rule and count it; the check ends where there are too many.

        Raises:
            RuleError: it can never be right.
        """
        self._expressions -= 1
        self._characters -= len(source)
        if min(self._expressions, self._characters) < 0:
            detail = _("A definition has at most %(most)d expressions, of %(characters)d characters together.")
            limits = {"most": MOST_EXPRESSIONS, "characters": MOST_RULE_CHARACTERS}
            self.stop(self.field, "too_many_expressions", detail % limits)
        return compile_rule(source)


def is_name(value: Any) -> bool:
    """Whether a step may be called this."""
    return isinstance(value, str) and _is_name(value) is not None


def below(field: str, *parts: str | int) -> str:
    """The field `parts` below `field`."""
    return ".".join([field, *(str(part)[:_LONGEST_PART] for part in parts)])
