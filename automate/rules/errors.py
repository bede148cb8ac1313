"""What can be wrong with a rule, and what can go wrong with it."""

from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from automate.rules.tree import Node


class Kind(StrEnum):
    """Why an evaluation has failed. The values are public."""

    NO_SUCH_KEY = "no_such_key"
    NO_MATCHING_OVERLOAD = "no_matching_overload"
    INDEX_OUT_OF_RANGE = "index_out_of_range"
    UNDECLARED = "undeclared"
    OVERFLOW = "overflow"
    DIVISION_BY_ZERO = "division_by_zero"
    INVALID_ARGUMENT = "invalid_argument"
    DUPLICATE_KEY = "duplicate_key"
    UNSUPPORTED_VALUE = "unsupported_value"
    NOT_A_BOOL = "not_a_bool"
    TOO_COSTLY = "too_costly"


def line_and_column(source: str, offset: int) -> tuple[int, int]:
    """Where an offset into `source` is, both counted from 1."""
    before = source[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


class RuleError(ValueError):
    """A rule that can never be right: it does not parse, is too long or too deep, or its types do not fit.

    Attributes:
        message: what is wrong, in words for whoever wrote it.
        line, column: where, counted from 1.
        start, end: the same as offsets into the source.
    """

    def __init__(self, message: str, source: str, start: int, end: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.start = min(start, len(source))
        self.end = self.start if end is None else end
        self.line, self.column = line_and_column(source, self.start)


class Refused(Exception):
    """The same while the source is not at hand: a message, and where it is wrong, as offsets."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message, self.start, self.end = message, start, end


class RuleFailed(Exception):
    """A rule has no value in this context.

    Attributes:
        message: what went wrong, in words for whoever reads the run.
        kind: a `Kind`.
        line, column: of the sub-expression that failed, counted from 1; 0 where no rule is at work.
        start, end: the same as offsets into the source.
    """

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.node: Node | None = None
        self.start = self.end = self.line = self.column = 0

    def locate(self, source: str) -> None:
        """Say where in `source` the failing node stands."""
        if self.node is not None:
            self.start, self.end = self.node.start, self.node.end
            self.line, self.column = line_and_column(source, self.start)


def no_overload(operation: str, *types: str) -> RuleFailed:
    """`operation` does not take values of these types."""
    message = _("%(operation)s does not take %(types)s.") % {"operation": operation, "types": ", ".join(types)}
    return RuleFailed(Kind.NO_MATCHING_OVERLOAD, message)
