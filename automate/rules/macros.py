"""Macros that go through the members of a list or the keys of a map."""

from typing import Any, ClassVar

from automate.rules.errors import RuleFailed
from automate.rules.nodes import members_of
from automate.rules.operators import POINTER
from automate.rules.tree import Node, Run, absorbed, boolean
from automate.rules.values import admit


class Macro(Node):
    """`range.name(variable, body)`; children are the range and the bodies."""

    __slots__ = ("variable",)
    name: ClassVar[str]

    def __init__(self, start: int, end: int, over: Node, variable: str, *bodies: Node) -> None:
        super().__init__(start, end, over, *bodies)
        self.variable = variable

    def evaluate(self, run: Run) -> Any:
        members = members_of(run.visit(self.children[0]), self.name)
        scope, absent = run.scope, object()
        before = scope.get(self.variable, absent)
        try:
            return self.go_through(run, members)
        finally:
            if before is absent:
                scope.pop(self.variable, None)
            else:
                scope[self.variable] = before

    def go_through(self, run: Run, members: list[Any]) -> Any:
        """The value, given what to go through."""
        raise NotImplementedError

    def test(self, run: Run, place: int, member: Any) -> bool:
        """Whether the first body holds for a member.

        Raises:
            RuleFailed: it is neither true nor false.
        """
        return boolean(self.name, self.body(run, place, member))

    def body(self, run: Run, place: int, member: Any, which: int = 1) -> Any:
        """The value of a body for a member."""
        run.scope[self.variable] = admit(member)
        run.place = place
        return run.visit(self.children[which])


class _Quantifier(Macro):
    """All or any, with the logic of `&&` and `||`."""

    __slots__ = ()
    decisive: ClassVar[bool]

    def go_through(self, run: Run, members: list[Any]) -> Any:
        failure: RuleFailed | None = None
        for place, member in enumerate(members):
            try:
                if self.test(run, place, member) is self.decisive:
                    return self.decisive
            except RuleFailed as failed:
                failure = absorbed(failed, failure, self.children[1])
        if failure is not None:
            raise failure
        return not self.decisive


class All(_Quantifier):
    """`list.all(x, p)`: whether `p` holds for each."""

    __slots__ = ()
    name, decisive = "all", False


class Exists(_Quantifier):
    """`list.exists(x, p)`: whether `p` holds for one or more."""

    __slots__ = ()
    name, decisive = "exists", True


class ExistsOne(Macro):
    """`list.exists_one(x, p)`: whether `p` holds for one and no more. Any failure is one of the whole."""

    __slots__ = ()
    name = "exists_one"

    def go_through(self, run: Run, members: list[Any]) -> Any:
        return sum(self.test(run, place, member) for place, member in enumerate(members)) == 1


class Filter(Macro):
    """`list.filter(x, p)`: those for which `p` holds."""

    __slots__ = ()
    name = "filter"

    def go_through(self, run: Run, members: list[Any]) -> Any:
        run.budget.make(POINTER * len(members))
        return [member for place, member in enumerate(members) if self.test(run, place, member)]


class Map(Macro):
    """`list.map(x, e)`, and `list.map(x, p, e)` for those for which `p` holds."""

    __slots__ = ()
    name = "map"

    def go_through(self, run: Run, members: list[Any]) -> Any:
        run.budget.make(POINTER * len(members))
        if len(self.children) == 2:
            return [self.body(run, place, member) for place, member in enumerate(members)]
        return [
            self.body(run, place, member, 2) for place, member in enumerate(members) if self.test(run, place, member)
        ]


MACROS: dict[str, type[Macro]] = {
    "all": All,
    "exists": Exists,
    "exists_one": ExistsOne,
    "existsOne": ExistsOne,
    "filter": Filter,
    "map": Map,
}
"""Macros by their names."""
