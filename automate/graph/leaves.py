"""Expressions: what may stand in the place of a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.translation import gettext as _

from automate.graph.query import NoSuchNode, Query
from automate.rules import Budget, Rule, RuleFailed, Type

MOST_CHARACTERS = 1_000_000
"""How large everything together may be that the expressions of one value give, as JSON."""

Path = tuple[str | int, ...]
Scope = Mapping[str, Any]
Secrets = Mapping[str, str]


class ValueFailed(Exception):
    """An expression has no value in this run.

    Attributes:
        path: where in the value it stands.
        kind: the kind of `RuleFailed`, or `no_such_node`, `no_such_secret` or `too_large`.
        detail: what went wrong, for a person.
    """

    def __init__(self, kind: str, detail: str, path: Path = ()) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.path = path

    @property
    def place(self) -> str:
        """`path` with dots."""
        return ".".join(map(str, self.path))


class Room:
    """What may still come out of the expressions of a value, and its secrets."""

    def __init__(self, secrets: Secrets | None) -> None:
        self.left = MOST_CHARACTERS
        self.secrets = secrets

    def take(self, size: int) -> None:
        """Take `size` characters.

        Raises:
            ValueFailed: there were fewer.
        """
        self.left -= size
        if self.left < 0:
            raise ValueFailed("too_large", _("The expressions give more than a step may have."))


class Leaf(Protocol):
    """An expression."""

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """The paths of names that it refers to."""

    def type_of(self, types: Mapping[str, Type]) -> Type:
        """What it gives, as far as that is known; raises `RuleError` where it can give nothing."""

    def give(self, scope: Scope, room: Room) -> Any:
        """What it gives in `scope`; raises `ValueFailed` where that is nothing."""


@dataclass(frozen=True, slots=True)
class RuleLeaf:
    """`{"cel": …}`."""

    rule: Rule

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(name.split(".")) for name in sorted(self.rule.names))

    def type_of(self, types: Mapping[str, Type]) -> Type:
        return self.rule.type_of(types)

    def give(self, scope: Scope, room: Room) -> Any:
        budget = Budget(size=room.left)
        try:
            value = self.rule.evaluate(scope, budget=budget)
        except RuleFailed as exc:
            raise ValueFailed(str(exc.kind), exc.message) from exc
        room.left = budget.size
        return value


@dataclass(frozen=True, slots=True)
class QueryLeaf:
    """`{"path": …}`."""

    query: Query

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """The names up to the first index."""
        names: list[str] = []
        for segment in self.query.segments:
            if not isinstance(segment, str):
                break
            names.append(segment)
        return (tuple(names),) if names else ()

    def type_of(self, types: Mapping[str, Type]) -> Type:
        return Type.DYN

    def give(self, scope: Scope, room: Room) -> Any:
        try:
            value = self.query.find(dict(scope))
        except NoSuchNode as exc:
            raise ValueFailed("no_such_node", _("There is no %(part)s.") % {"part": exc.part}) from exc
        room.take(_size(value, room.left))
        return value


@dataclass(frozen=True, slots=True)
class SecretLeaf:
    """`{"secret": …}`."""

    name: str

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        return ()

    def type_of(self, types: Mapping[str, Type]) -> Type:
        return Type.STRING

    def give(self, scope: Scope, room: Room) -> Any:
        if room.secrets is None:
            return f"[secret {self.name}]"
        if self.name not in room.secrets:
            raise ValueFailed("no_such_secret", _("The workflow has no secret of this name."))
        return room.secrets[self.name]


@dataclass(frozen=True, slots=True)
class BrokenLeaf:
    """An expression that can never be right; what it would have given is not known."""

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        return ()

    def type_of(self, types: Mapping[str, Type]) -> Type:
        return Type.DYN

    def give(self, scope: Scope, room: Room) -> Any:
        raise ValueFailed("invalid", _("This is no expression."))


def _size(value: Any, most: int) -> int:
    """About how many characters `value` has as JSON; stops counting above `most`."""
    size, waiting = 0, [value]
    while waiting and size <= most:
        value = waiting.pop()
        size += 4
        if isinstance(value, str):
            size += len(value)
        elif isinstance(value, dict):
            size += sum(len(name) + 4 for name in value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return size
