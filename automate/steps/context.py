"""What a step's type is told of the step whose turn has come, and of the one that it works on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from automate.graph.leaves import Path
from automate_api.engine.capability import RunContext
from automate_api.models import Actor

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A step whose turn has come.

    Attributes:
        key: what tells the step from every other of every run, for good.
        settings: the step's `with`, its expressions resolved; its literal members as they stand.
        scope: what the step's expressions see.
        actor: whose rights the step has: the workflow's owner, in the workflow's tenant.
        correlation_id: the run's.
        computed: the members of `with` that are, or hold, expressions.
        secrets: where in `with` a secret belongs, and its name.
    """

    key: str
    settings: dict[str, Any]
    scope: Mapping[str, Any]
    actor: Actor
    correlation_id: str
    computed: frozenset[str] = frozenset()
    secrets: Sequence[tuple[Path, str]] = ()


@dataclass(slots=True, kw_only=True)
class StepContext:
    """A step that is worked on.

    Attributes:
        key: what tells the step from every other of every run, the same in each attempt; what it does elsewhere should
            be known there by this.
        settings: the step's `with`, its expressions resolved and its secrets in their places.
        computed: the members of `with` that are, or hold, expressions: what they say may be a caller's.
        actor: whose rights the step has: the workflow's owner, in the workflow's tenant.
        correlation_id: the run's.
        attempt: which attempt this is, from 1.
    """

    key: str
    settings: dict[str, Any]
    computed: frozenset[str]
    actor: Actor
    correlation_id: str
    attempt: int
    run: RunContext

    async def db(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call `function`, which uses the ORM, in a worker thread."""
        return await self.run.db(function, *args, **kwargs)

    async def once(self, key: str, function: Callable[[], Any]) -> Any:
        """Call `function`, which uses the ORM, once for all attempts, and return what it returned, which must be JSON.

        Raises:
            RunCancelled: another process has taken the step over.
        """
        return await self.run.once(key, function)
