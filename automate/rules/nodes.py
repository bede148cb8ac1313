"""The nodes of a rule: what each is, and how it is evaluated."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _

from automate.rules.errors import Kind, RuleFailed, no_overload
from automate.rules.functions import FUNCTIONS, TYPES
from automate.rules.operators import ARITHMETIC, NEGATION, POINTER, Overloads, contains, equal
from automate.rules.tree import Node, Run, absorbed, boolean
from automate.rules.values import admit, from_key, key_of, name_of

_LONGEST_NAME = 100  # in messages


class Literal(Node):
    """A value that is written out."""

    __slots__ = ("value",)

    def __init__(self, start: int, end: int, value: Any) -> None:
        super().__init__(start, end)
        self.value = value

    def evaluate(self, run: Run) -> Any:
        return self.value


class Name(Node):
    """A variable of a macro, a name of the context, or a type. `root`: a leading dot passes over the variables."""

    __slots__ = ("name", "root")

    def __init__(self, start: int, end: int, name: str, *, root: bool = False) -> None:
        super().__init__(start, end)
        self.name, self.root = name, root

    def evaluate(self, run: Run) -> Any:
        if self.name in run.scope and not self.root:
            return run.scope[self.name]
        if self.name in run.context:
            return admit(run.context[self.name])
        if self.name in TYPES:
            return TYPES[self.name]
        raise RuleFailed(Kind.UNDECLARED, _("There is no “%(name)s” here.") % {"name": self.name[:_LONGEST_NAME]})


class Select(Node):
    """`a.b`: the value of a map under a key."""

    __slots__ = ("field",)

    def __init__(self, start: int, end: int, operand: Node, field: str) -> None:
        super().__init__(start, end, operand)
        self.field = field

    def evaluate(self, run: Run) -> Any:
        operand = run.visit(self.children[0])
        if type(operand) is not dict:
            raise _no_members(operand, self.field)
        if self.field in operand:
            return admit(operand[self.field])
        raise RuleFailed(Kind.NO_SUCH_KEY, _("There is no key “%(key)s”.") % {"key": self.field[:_LONGEST_NAME]})


class Has(Node):
    """`has(a.b)`: whether a map has a key."""

    __slots__ = ("field",)

    def __init__(self, start: int, end: int, operand: Node, field: str) -> None:
        super().__init__(start, end, operand)
        self.field = field

    def evaluate(self, run: Run) -> Any:
        operand = run.visit(self.children[0])
        if type(operand) is not dict:
            raise _no_members(operand, self.field)
        return self.field in operand


def _no_members(operand: Any, field: str) -> RuleFailed:
    message = _("A %(type)s has no “%(key)s”.") % {"type": name_of(operand), "key": field[:_LONGEST_NAME]}
    return RuleFailed(Kind.NO_MATCHING_OVERLOAD, message)


class Index(Node):
    """`a[b]`: a member of a list by its place, or of a map by its key."""

    __slots__ = ()

    def evaluate(self, run: Run) -> Any:
        operand, key = run.visit(self.children[0]), run.visit(self.children[1])
        if type(operand) is dict:
            return self._member(operand, key)
        place = key_of(key) if type(operand) is list and type(key) is not str else None
        if not isinstance(place, int):
            raise no_overload("[]", name_of(operand), name_of(key))
        if 0 <= place < len(operand):
            return admit(operand[place])
        message = _("The list has no member %(index)s.") % {"index": place}
        raise RuleFailed(Kind.INDEX_OUT_OF_RANGE, message)

    def _member(self, operand: dict[Any, Any], value: Any) -> Any:
        key = key_of(value)
        if key is not None and key in operand:
            return admit(operand[key])
        if key is None and type(value) is not float:
            raise no_overload("[]", name_of(operand), name_of(value))
        shown = value if isinstance(value, str) else repr(value)
        raise RuleFailed(Kind.NO_SUCH_KEY, _("There is no key “%(key)s”.") % {"key": shown[:_LONGEST_NAME]})


class Operation(Node):
    """An operator or a function, looked up by the types of its operands: `a + b`, `-a`, `a < b`, `f(a)`, `a.f(b)`."""

    __slots__ = ("name", "of", "overloads")

    def __init__(
        self, start: int, end: int, name: str, overloads: Overloads, *children: Node, of: bool = False
    ) -> None:
        super().__init__(start, end, *children)
        self.name, self.overloads, self.of = name, overloads, of

    def evaluate(self, run: Run) -> Any:
        values = [run.visit(child) for child in self.children]
        found = self.overloads.get(tuple(map(type, values)))
        if found is None:
            raise no_overload(self.name, *map(name_of, values))
        return found[0](run.budget, *values)


class Equality(Node):
    """`a == b` and `a != b`, for values of any type."""

    __slots__ = ("negated",)

    def __init__(self, start: int, end: int, left: Node, right: Node, *, negated: bool) -> None:
        super().__init__(start, end, left, right)
        self.negated = negated

    @property
    def name(self) -> str:
        """The operator."""
        return "!=" if self.negated else "=="

    def evaluate(self, run: Run) -> Any:
        left, right = run.visit(self.children[0]), run.visit(self.children[1])
        return equal(run.budget, left, right) is not self.negated


class Membership(Node):
    """`a in b`."""

    __slots__ = ()
    name = "in"

    def evaluate(self, run: Run) -> Any:
        needle, members = run.visit(self.children[0]), run.visit(self.children[1])
        return contains(run.budget, needle, members)


class Not(Node):
    """`!a`."""

    __slots__ = ()

    def evaluate(self, run: Run) -> Any:
        return not boolean("!", run.visit(self.children[0]))


class Logic(Node):
    """`a && b && …` and `a || b || …`: an operand that decides makes failures of others not matter, on either side."""

    __slots__ = ()
    name: ClassVar[str]
    decisive: ClassVar[bool]

    def evaluate(self, run: Run) -> Any:
        failure: RuleFailed | None = None
        for child in self.children:
            try:
                if boolean(self.name, run.visit(child)) is self.decisive:
                    return self.decisive
            except RuleFailed as failed:
                failure = absorbed(failed, failure, child)
        if failure is not None:
            raise failure
        return not self.decisive


class And(Logic):
    """`a && b`."""

    __slots__ = ()
    name, decisive = "&&", False


class Or(Logic):
    """`a || b`."""

    __slots__ = ()
    name, decisive = "||", True


class Conditional(Node):
    """`a ? b : c`; what is not chosen is not evaluated."""

    __slots__ = ()

    def evaluate(self, run: Run) -> Any:
        condition, then, otherwise = self.children
        return run.visit(then if boolean("?:", run.visit(condition)) else otherwise)


class MakeList(Node):
    """`[a, b]`."""

    __slots__ = ()

    def evaluate(self, run: Run) -> Any:
        run.budget.make(POINTER * len(self.children))
        return [run.visit(child) for child in self.children]


class MakeMap(Node):
    """`{a: b}`; children are keys and values by turns."""

    __slots__ = ()

    def evaluate(self, run: Run) -> Any:
        run.budget.make(2 * POINTER * len(self.children))
        made: dict[Any, Any] = {}
        for place in range(0, len(self.children), 2):
            value = run.visit(self.children[place])
            key = None if type(value) is float else key_of(value)
            if key is None:
                raise no_overload("{}", name_of(value))
            if key in made:
                raise RuleFailed(Kind.DUPLICATE_KEY, _("A map has a key twice."))
            made[key] = run.visit(self.children[place + 1])
        return made


def members_of(value: Any, macro: str) -> list[Any]:
    """What a macro goes through: the members of a list or the keys of a map, as they came.

    Raises:
        RuleFailed: it is neither.
    """
    if type(value) is list:
        return value
    if type(value) is dict:
        return [from_key(key) for key in value]
    raise no_overload(macro, name_of(value))


def call(start: int, end: int, name: str, *children: Node, of: bool) -> Operation | None:
    """A call of a standard function; None where there is none of this name with so many arguments."""
    function = FUNCTIONS.get(name)
    overloads = (function.of if of else function.alone) if function else {}
    if not any(len(types) == len(children) for types in overloads):
        return None
    return Operation(start, end, name, overloads, *children, of=of)


def arithmetic(start: int, end: int, name: str, left: Node, right: Node) -> Operation:
    """`left + right` and the like."""
    return Operation(start, end, name, ARITHMETIC[name], left, right)


def negation(start: int, end: int, operand: Node) -> Operation:
    """`-operand`."""
    return Operation(start, end, "-", NEGATION, operand)
