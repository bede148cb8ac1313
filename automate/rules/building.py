"""Nodes, as the parser recognises rules of the grammar: a method for each rule, called with what it is made of."""

from typing import Any

from django.utils.translation import gettext as _

from automate.rules.errors import Refused
from automate.rules.functions import FUNCTIONS, TYPES
from automate.rules.literals import literal
from automate.rules.macros import MACROS
from automate.rules.nodes import (
    And,
    Conditional,
    Equality,
    Has,
    Index,
    Literal,
    Logic,
    MakeList,
    MakeMap,
    Membership,
    Name,
    Not,
    Or,
    Select,
    arithmetic,
    call,
    negation,
)
from automate.rules.tree import Node

Parts = list[Any]
"""Nodes, the words between them, and what rules that are no expressions have made."""


def _only(parts: Parts) -> Any:
    return parts[0]


def _binary(parts: Parts) -> Node:
    """`left operator right`, or what binds more tightly alone. The parser has put `left` and the operator together."""
    if len(parts) == 1:
        return parts[0]  # type: ignore[no-any-return]
    (left, operator), right = parts
    name = str(operator)
    if name in {"==", "!="}:
        return Equality(left.start, right.end, left, right, negated=name == "!=")
    if name == "in":
        return Membership(left.start, right.end, left, right)
    return arithmetic(left.start, right.end, name, left, right)


def _logic(kind: type[Logic], parts: Parts) -> Node:
    if len(parts) == 1:
        return parts[0]  # type: ignore[no-any-return]
    left, right = parts[0], parts[2]
    # A chain is one node: its order of evaluation is the same, and it reads as one.
    operands = left.children if type(left) is kind and not left.parenthesised else (left,)
    return kind(left.start, right.end, *operands, right)


class Builder:
    """What lark calls a transformer. It keeps nothing, so that threads share it."""

    primary = member = staticmethod(_only)
    unary_not = unary_neg = staticmethod(_only)
    relation = addition = multiplication = staticmethod(_binary)
    relation_lt = relation_le = relation_ge = relation_gt = relation_eq = relation_ne = relation_in = staticmethod(
        tuple
    )
    addition_add = addition_sub = staticmethod(tuple)
    multiplication_mul = multiplication_div = multiplication_mod = staticmethod(tuple)

    def expr(self, parts: Parts) -> Node:
        """`condition ? then : otherwise`."""
        if len(parts) == 1:
            return parts[0]  # type: ignore[no-any-return]
        return Conditional(parts[0].start, parts[4].end, parts[0], parts[2], parts[4])

    def conditionalor(self, parts: Parts) -> Node:
        """`a || b`."""
        return _logic(Or, parts)

    def conditionaland(self, parts: Parts) -> Node:
        """`a && b`."""
        return _logic(And, parts)

    def unary(self, parts: Parts) -> Node:
        """`!a`, `-a`."""
        if len(parts) == 1:
            return parts[0]  # type: ignore[no-any-return]
        sign, operand = parts
        if sign == "!":
            return Not(sign.start_pos, operand.end, operand)
        if type(operand) is Literal and type(operand.value) in {int, float} and not operand.parenthesised:
            return Literal(sign.start_pos, operand.end, -operand.value)
        return negation(sign.start_pos, operand.end, operand)

    def literal(self, parts: Parts) -> Node:
        """A literal."""
        word = parts[0]
        return Literal(word.start_pos, word.end_pos, literal(word.type, str(word), word.start_pos))

    def ident(self, parts: Parts) -> Node:
        """`name`."""
        return Name(parts[0].start_pos, parts[0].end_pos, str(parts[0]))

    def dot_ident(self, parts: Parts) -> Node:
        """`.name`."""
        return Name(parts[0].start_pos, parts[1].end_pos, str(parts[1]), root=True)

    def paren_expr(self, parts: Parts) -> Node:
        """`(a)`: the node inside, which from now on reaches from one parenthesis to the other."""
        node: Node = parts[1]
        node.start, node.end, node.parenthesised = parts[0].start_pos, parts[2].end_pos, True
        return node

    def list_lit(self, parts: Parts) -> Node:
        """`[a, b]`."""
        return MakeList(parts[0].start_pos, parts[-1].end_pos, *(parts[1] if len(parts) == 3 else ()))

    def map_lit(self, parts: Parts) -> Node:
        """`{a: b}`."""
        return MakeMap(parts[0].start_pos, parts[-1].end_pos, *(parts[1] if len(parts) == 3 else ()))

    def exprlist(self, parts: Parts) -> Parts:
        """`a, b`."""
        return parts[::2]

    mapinits = fieldinits = exprlist

    def member_dot(self, parts: Parts) -> Node:
        """`a.b`."""
        operand, field = parts[0], str(parts[2])
        node = Select(operand.start, parts[2].end_pos, operand, field)
        named = TYPES.get(_dotted(node)) if field in {"Timestamp", "Duration"} else None
        return Literal(node.start, node.end, named) if named else node

    def member_index(self, parts: Parts) -> Node:
        """`a[b]`."""
        return Index(parts[0].start, parts[3].end_pos, parts[0], parts[2])

    def member_object(self, parts: Parts) -> Node:
        """`Name{field: a}`, which the library's grammar has and rules have not."""
        raise Refused(_("There are no messages here, only maps: {'key': value}."), parts[0].start, parts[-1].end_pos)

    def member_dot_arg(self, parts: Parts) -> Node:
        """`a.f(b)`, and macros."""
        operand, name = parts[0], parts[2]
        arguments = parts[4] if len(parts) == 6 else []
        end = parts[-1].end_pos
        if name in MACROS and len(arguments) in (2, 3 if name == "map" else 2):
            variable = arguments[0]
            if type(variable) is not Name or variable.root or variable.parenthesised:
                raise Refused(_("A macro's variable is a simple name."), variable.start, variable.end)
            return MACROS[name](operand.start, end, operand, variable.name, *arguments[1:])
        return _called(call(operand.start, end, str(name), operand, *arguments, of=True), name, of=True)

    def ident_arg(self, parts: Parts) -> Node:
        """`f(a)`, and `has(a.b)`."""
        name = parts[0]
        arguments = parts[2] if len(parts) == 4 else []
        end = parts[-1].end_pos
        if name == "has" and len(arguments) == 1:
            field = arguments[0]
            if type(field) is not Select or field.parenthesised:
                raise Refused(_("has() asks for a member: has(a.b)."), field.start, field.end)
            return Has(name.start_pos, end, field.children[0], field.field)
        return _called(call(name.start_pos, end, str(name), *arguments, of=False), name, of=False)

    def dot_ident_arg(self, parts: Parts) -> Node:
        """`.f(a)`."""
        node = self.ident_arg(parts[1:])
        node.start = parts[0].start_pos
        return node


def _dotted(node: Node) -> str:
    """`a.b.c` of a name and members below it; empty where it is anything else."""
    fields: list[str] = []
    while type(node) is Select:
        fields.append(node.field)
        node = node.children[0]
    return ".".join([node.name, *reversed(fields)]) if type(node) is Name and fields else ""


def _called(node: Node | None, name: Any, *, of: bool) -> Node:
    if node is not None:
        return node
    start, end = name.start_pos, name.end_pos
    found = FUNCTIONS.get(str(name))
    if found is None and name not in MACROS and name != "has":
        raise Refused(_("There is no function “%(name)s”.") % {"name": str(name)[:40]}, start, end)
    if found is not None and not (found.of if of else found.alone):
        form = _("“%(name)s” is called as %(name)s(value).") if of else _("“%(name)s” is called as value.%(name)s().")
        raise Refused(form % {"name": str(name)}, start, end)
    raise Refused(_("“%(name)s” does not take so many arguments.") % {"name": str(name)}, start, end)
