"""Which names a rule uses."""

import re
from collections.abc import Iterator

from automate.rules.functions import TYPES
from automate.rules.macros import Macro
from automate.rules.nodes import Has, Index, Literal, Name, Select
from automate.rules.tree import Node

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")


def names_of(node: Node, variables: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names that `node` takes from the context, each with the members that are reached for by name below it.

    `steps.ask.output`, and the same of `steps["ask"].output`. What is reached for by a value is not known:
    `steps[event.payload.name].output` uses `steps` and `event.payload.name`. Variables of macros are none of them.
    """
    path = _path(node)
    if path is not None:
        base, members = path
        if (base.root or base.name not in variables) and (members or base.name not in TYPES):
            yield ".".join([base.name, *members])
    elif isinstance(node, Macro):
        yield from names_of(node.children[0], variables)
        for body in node.children[1:]:
            yield from names_of(body, variables | {node.variable})
    else:
        for child in node.children:
            yield from names_of(child, variables)


def member_path(node: Node) -> str:
    """`a.b.c` of a name and of what is reached for by name below it; empty of anything else."""
    path = _path(node)
    return ".".join([path[0].name, *path[1]]) if path else ""


def _path(node: Node) -> tuple[Name, list[str]] | None:
    members: list[str] = []
    while type(node) is not Name:
        member = _member(node)
        if member is None:
            return None
        members.append(member)
        node = node.children[0]
    return node, members[::-1]


def _member(node: Node) -> str | None:
    if isinstance(node, Select | Has):
        return node.field
    if type(node) is Index and type(node.children[1]) is Literal:
        key = node.children[1].value
        return key if type(key) is str and _NAME.fullmatch(key) else None
    return None
