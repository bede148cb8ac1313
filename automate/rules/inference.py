"""Which type a rule has, as far as it shows before it is evaluated."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from automate.rules.budget import Budget
from automate.rules.errors import Kind, Refused, RuleFailed
from automate.rules.functions import TYPES
from automate.rules.macros import Filter, Map
from automate.rules.names import member_path
from automate.rules.nodes import (
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
    Operation,
    Select,
)
from automate.rules.tree import Node
from automate.rules.types import OF_PYTHON, Type

Types = Mapping[str, Type]

_OF_TEXT = {"timestamp", "duration", "int", "uint", "double", "bool"}
_NUMBERS = {Type.INT, Type.UINT, Type.DOUBLE}


def infer(node: Node, types: Types) -> Type:
    """The type of `node`'s value, given those of names and of members below them; others are `DYN`.

    Raises:
        Refused: no value of the context can make it right.
    """
    return _INFERENCES[type(node)](node, types) if type(node) in _INFERENCES else _macro(node, types)


def _expect(node: Node, types: Types, wanted: Type) -> None:
    found = infer(node, types)
    if found not in {wanted, Type.DYN}:
        raise _unfit(node, _("This is a %(type)s where a %(wanted)s is needed.") % {"type": found, "wanted": wanted})


def _unfit(node: Node, message: str) -> Refused:
    return Refused(message, node.start, node.end)


def _named(node: Any, types: Types) -> Type:
    path = "" if type(node) is Has else member_path(node)
    if path in types:
        return types[path]
    if type(node) is Name:
        return Type.TYPE if node.name in TYPES else Type.DYN
    operand = infer(node.children[0], types)
    if operand not in {Type.MAP, Type.DYN}:
        message = _("A %(type)s has no “%(key)s”.") % {"type": operand, "key": node.field}
        raise _unfit(node, message)
    return Type.BOOL if type(node) is Has else Type.DYN


def _index(node: Node, types: Types) -> Type:
    operand, key = (infer(child, types) for child in node.children)
    fits = {
        Type.LIST: {*_NUMBERS, Type.DYN},
        Type.MAP: {*_NUMBERS, Type.STRING, Type.BOOL, Type.DYN},
        Type.DYN: {*_NUMBERS, Type.STRING, Type.BOOL, Type.DYN},
    }
    if key not in fits.get(operand, set()):
        raise _unfit(node, _("A %(type)s is not indexed by a %(key)s.") % {"type": operand, "key": key})
    path = member_path(node)
    return types.get(path, Type.DYN) if path else Type.DYN


def _operation(node: Any, types: Types) -> Type:
    given = [infer(child, types) for child in node.children]
    results = {result for kinds, (_function, result) in node.overloads.items() if _admits(kinds, given)}
    if not results:
        message = _("%(operation)s does not take %(types)s.")
        raise _unfit(node, message % {"operation": node.name, "types": ", ".join(given)})
    _try_text(node)
    return results.pop() if len(results) == 1 else Type.DYN


def _try_text(node: Any) -> None:
    """Refuse a pattern, time, duration or number that is written out as a text, and is none whatever the context."""
    last = node.children[-1]
    if type(last) is not Literal or type(last.value) is not str:
        return
    if node.name == "matches":
        values: tuple[str, ...] = ("", last.value)
    elif node.name in _OF_TEXT and len(node.children) == 1:
        values = (last.value,)
    else:
        return
    try:
        node.overloads[tuple(map(type, values))][0](Budget(), *values)
    except RuleFailed as failed:
        if failed.kind is not Kind.TOO_COSTLY:
            raise _unfit(last, failed.message) from None


def _admits(kinds: tuple[type, ...], given: list[Type]) -> bool:
    return len(kinds) == len(given) and all(
        found in {OF_PYTHON[kind], Type.DYN} for kind, found in zip(kinds, given, strict=True)
    )


def _equality(node: Any, types: Types) -> Type:
    left, right = (infer(child, types) for child in node.children)
    free = {Type.DYN, Type.NULL}  # null is compared with anything, to ask whether there is something
    if left != right and not free & {left, right} and not {left, right} <= _NUMBERS:
        message = _("A %(left)s never equals a %(right)s.") % {"left": left, "right": right}
        raise _unfit(node, message)
    return Type.BOOL


def _membership(node: Node, types: Types) -> Type:
    infer(node.children[0], types)
    members = infer(node.children[1], types)
    if members not in {Type.LIST, Type.MAP, Type.DYN}:
        raise _unfit(node, _("A %(type)s has no members.") % {"type": members})
    return Type.BOOL


def _boolean(node: Node, types: Types) -> Type:
    for child in node.children:
        _expect(child, types, Type.BOOL)
    return Type.BOOL


def _conditional(node: Node, types: Types) -> Type:
    _expect(node.children[0], types, Type.BOOL)
    then, otherwise = (infer(child, types) for child in node.children[1:])
    return then if then == otherwise else Type.DYN


def _list(node: Node, types: Types) -> Type:
    for child in node.children:
        infer(child, types)
    return Type.LIST


def _map(node: Node, types: Types) -> Type:
    for place, child in enumerate(node.children):
        found = infer(child, types)
        if place % 2 == 0 and found not in {Type.STRING, Type.INT, Type.UINT, Type.BOOL, Type.DYN}:
            raise _unfit(child, _("A %(type)s is no key.") % {"type": found})
    return Type.MAP


def _macro(node: Any, types: Types) -> Type:
    over = infer(node.children[0], types)
    if over not in {Type.LIST, Type.MAP, Type.DYN}:
        raise _unfit(node.children[0], _("A %(type)s has no members.") % {"type": over})
    inside = {name: kind for name, kind in types.items() if name.partition(".")[0] != node.variable}
    inside[node.variable] = Type.DYN
    for body in node.children[1:]:
        if isinstance(node, Map) and body is node.children[-1]:
            infer(body, inside)
        else:
            _expect(body, inside, Type.BOOL)
    return Type.LIST if isinstance(node, Map | Filter) else Type.BOOL


_INFERENCES: dict[type, Callable[[Any, Types], Type]] = {
    Literal: lambda node, types: OF_PYTHON[type(node.value)],
    Name: _named,
    Select: _named,
    Has: _named,
    Index: _index,
    Operation: _operation,
    Equality: _equality,
    Membership: _membership,
    Not: _boolean,
    Conditional: _conditional,
    MakeList: _list,
    MakeMap: _map,
    **dict.fromkeys(Logic.__subclasses__(), _boolean),
}
