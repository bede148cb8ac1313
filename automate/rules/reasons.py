"""Why a rule is true, false or without a value, in words."""

from collections.abc import Callable
from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext

from automate.rules.errors import RuleFailed
from automate.rules.macros import All, Exists, ExistsOne, Macro
from automate.rules.nodes import Conditional, Equality, Has, Literal, Logic, MakeList, Membership, Not, Operation, Or
from automate.rules.showing import phrase
from automate.rules.tracing import Trace
from automate.rules.tree import Node

_MOST_CLAUSES = 8
_LONGEST_TEXT = 120

_RELATIONS: dict[str, tuple[str, str]] = {
    "<": (gettext_noop("%(left)s is less than %(right)s"), gettext_noop("%(left)s is not less than %(right)s")),
    "<=": (gettext_noop("%(left)s is at most %(right)s"), gettext_noop("%(left)s is not at most %(right)s")),
    ">": (gettext_noop("%(left)s is greater than %(right)s"), gettext_noop("%(left)s is not greater than %(right)s")),
    ">=": (gettext_noop("%(left)s is at least %(right)s"), gettext_noop("%(left)s is not at least %(right)s")),
    "contains": (gettext_noop("%(left)s contains %(right)s"), gettext_noop("%(left)s does not contain %(right)s")),
    "startsWith": (
        gettext_noop("%(left)s starts with %(right)s"),
        gettext_noop("%(left)s does not start with %(right)s"),
    ),
    "endsWith": (gettext_noop("%(left)s ends with %(right)s"), gettext_noop("%(left)s does not end with %(right)s")),
    "matches": (gettext_noop("%(left)s matches %(right)s"), gettext_noop("%(left)s does not match %(right)s")),
}
"""Forms of clauses by operators and functions: where they hold, and where they do not."""


class Reasons:
    """The words for one rule and one evaluation.

    They name the sub-expressions that decide: of `a && b` that is false, one that is; of one that is true, both.
    """

    def __init__(self, source: str) -> None:
        self.source = source

    def reason(self, root: Trace) -> str:
        """Why the whole is what it is."""
        clauses = self.because(root)
        if len(clauses) > _MOST_CLAUSES:
            more = len(clauses) - _MOST_CLAUSES
            rest = ngettext("%(count)s more like these", "%(count)s more like these", more) % {"count": more}
            clauses = [*clauses[:_MOST_CLAUSES], rest]
        words = {"why": pgettext("between clauses of a reason", "; ").join(clauses), "value": phrase_of(root)}
        if root.failure is not None:
            return _("There is no value: %(why)s.") % words
        if root.value is True:
            return _("True: %(why)s.") % words
        if root.value is False:
            return _("False: %(why)s.") % words
        return (_("The value is %(value)s: %(why)s.") if clauses else _("The value is %(value)s.")) % words

    def because(self, trace: Trace) -> list[str]:
        """What decided over a sub-expression that was evaluated, a clause each."""
        node = trace.node
        if trace.failure is not None:
            return self._failed(trace, trace.failure)
        if isinstance(node, Conditional):
            return self._chosen(trace)
        if type(trace.value) is not bool:
            return []
        for kind, explain in self._of_kinds.items():
            if isinstance(node, kind):
                return explain(self, trace)
        return [self._plain(trace)]

    def _failed(self, trace: Trace, failure: RuleFailed) -> list[str]:
        for child in trace.children:
            if child.failure is failure:
                inside = self.because(child)
                if child.place is None:
                    return inside
                words = {"member": self._member(trace, child), "why": inside[0].removesuffix(".")}
                return [_("at %(member)s, %(why)s") % words]
        words = {"text": self.text(trace), "message": failure.message.removesuffix(".")}
        return [_("“%(text)s” fails: %(message)s") % words]

    def _chosen(self, trace: Trace) -> list[str]:
        condition, *branches = trace.children
        chosen = next(branch for branch in branches if branch.evaluated)
        clauses = [*self.because(condition), _("so “%(text)s” counts") % {"text": self.text(chosen)}]
        return [*clauses, *self.because(chosen)]

    def _logic(self, trace: Trace) -> list[str]:
        decisive = isinstance(trace.node, Or)
        if trace.value is not decisive:
            return [clause for child in trace.children for clause in self.because(child)]
        clauses = next(self.because(child) for child in trace.children if child.value is decisive)
        return [*clauses, *self._absorbed(trace)]

    def _absorbed(self, trace: Trace) -> list[str]:
        """Failures that do not matter."""
        form = _("that “%(text)s” fails does not matter (%(message)s)")
        return [
            form % {"text": self.text(child), "message": child.failure.message.removesuffix(".")}
            for child in trace.children
            if child.failure is not None
        ]

    def _not(self, trace: Trace) -> list[str]:
        return self.because(trace.children[0])

    def _equality(self, trace: Trace) -> list[str]:
        equal = trace.value is not getattr(trace.node, "negated", False)
        return [
            self._related(trace, _("%(left)s equals %(right)s") if equal else _("%(left)s does not equal %(right)s"))
        ]

    def _membership(self, trace: Trace) -> list[str]:
        return [
            self._related(trace, _("%(left)s is in %(right)s") if trace.value else _("%(left)s is not in %(right)s"))
        ]

    def _operation(self, trace: Trace) -> list[str]:
        forms = _RELATIONS.get(getattr(trace.node, "name", ""))
        if forms is None or len(trace.children) != 2:
            return [self._plain(trace)]
        return [self._related(trace, _(forms[0] if trace.value else forms[1]))]

    def _related(self, trace: Trace, form: str) -> str:
        left, right = trace.children
        return form % {"left": self.named(left), "right": self.named(right)}

    def _has(self, trace: Trace) -> list[str]:
        path = f"{self.text(trace.children[0])}.{getattr(trace.node, 'field', '')}"
        return [(_("there is “%(text)s”") if trace.value else _("there is no “%(text)s”")) % {"text": path}]

    def _plain(self, trace: Trace) -> str:
        form = _("“%(text)s” is true") if trace.value else _("“%(text)s” is false")
        return form % {"text": self.text(trace)}

    def _quantified(self, trace: Trace) -> list[str]:
        over, body = trace.children
        if trace.value is isinstance(trace.node, Exists) and body.evaluated:
            return self._decided(trace, body)
        words = {"body": self.text(body), "text": self.text(over), "total": len(over.value)}
        return [self._held(trace, len(over.value)) % words]

    def _decided(self, trace: Trace, body: Trace) -> list[str]:
        """The member that decided, and why."""
        form = _("“%(body)s” holds for %(member)s") if trace.value else _("“%(body)s” does not hold for %(member)s")
        clause = form % {"body": self.text(body), "member": self._member(trace, body)}
        why = pgettext("between clauses of why a clause holds", ", ").join(self.because(body))
        clauses = [pgettext("between a clause and why", "%(clause)s: %(why)s") % {"clause": clause, "why": why}]
        if trace.failed:
            form = ngettext(
                "that it fails for %(count)s member does not matter",
                "that it fails for %(count)s members does not matter",
                trace.failed,
            )
            clauses.append(form % {"count": trace.failed})
        return clauses

    def _held(self, trace: Trace, total: int) -> str:
        """What is said of all members, where none decided alone."""
        if total == 0:
            return _("“%(text)s” is empty")
        if isinstance(trace.node, All):
            return ngettext(
                "“%(body)s” holds for the one member of “%(text)s”",
                "“%(body)s” holds for all %(total)s members of “%(text)s”",
                total,
            )
        return ngettext(
            "“%(body)s” does not hold for the one member of “%(text)s”",
            "“%(body)s” holds for none of the %(total)s members of “%(text)s”",
            total,
        )

    def _exists_one(self, trace: Trace) -> list[str]:
        over, body = trace.children
        words = {"body": self.text(body), "text": self.text(over), "count": trace.passed, "total": len(over.value)}
        if not over.value:
            return [_("“%(text)s” is empty") % words]
        if trace.value:
            return [_("“%(body)s” holds for %(member)s alone") % (words | {"member": self._member(trace, body)})]
        return [_("“%(body)s” holds for %(count)s of the %(total)s members of “%(text)s”, not for one") % words]

    def _member(self, trace: Trace, body: Trace) -> str:
        over = trace.children[0]
        if type(over.value) is dict:
            return _("the key %(key)s of “%(text)s”") % {"key": phrase(body.member), "text": self.text(over)}
        return f"“{self.text(over)}[{body.place}]”"

    def named(self, trace: Trace) -> str:
        """A sub-expression with its value; a literal is its value."""
        if _written_out(trace.node):
            return self.text(trace)
        return f"“{self.text(trace)}” ({phrase_of(trace)})"

    def text(self, trace: Trace) -> str:
        """A sub-expression as it is written, in one line."""
        text = " ".join(self.source[trace.node.start : trace.node.end].split())
        return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"

    _of_kinds: ClassVar[dict[type, Callable[["Reasons", Trace], list[str]]]] = {
        Logic: _logic,
        Not: _not,
        Equality: _equality,
        Membership: _membership,
        Operation: _operation,
        Has: _has,
        ExistsOne: _exists_one,
        Macro: _quantified,
    }


def _written_out(node: Node) -> bool:
    """Whether the text already is the value."""
    return isinstance(node, Literal) or (isinstance(node, MakeList) and all(map(_written_out, node.children)))


def phrase_of(trace: Trace) -> str:
    """The value of a trace in a sentence."""
    return phrase(trace.value) if trace.failure is None else ""
