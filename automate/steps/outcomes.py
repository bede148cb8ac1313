"""What becomes of a step when its turn has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from automate_api.models import Execution


@dataclass(frozen=True, slots=True)
class Done:
    """It has ended already.

    Attributes:
        output: what later steps see of it.
        taken: the steps it leads to; None: all of its `next`.
    """

    output: Any = None
    taken: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A worker calls its type's `run()`."""


@dataclass(frozen=True, slots=True)
class Execute:
    """A worker runs this execution, which is prepared and not stored; its output is the step's."""

    execution: Execution


@dataclass(frozen=True, slots=True)
class Wait:
    """It waits, and nobody works meanwhile.

    Attributes:
        until: when that is over at the latest; None: never by itself.
        pattern: the type of an event, or the beginning of types and a `*`, that ends it; "" for none.
    """

    until: datetime | None = None
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Its body runs for each of `items`, for at most `parallel` of them at once."""

    items: Sequence[Any]
    parallel: int


Outcome: TypeAlias = Done | Work | Execute | Wait | Repeat
