"""One operation in one world, and the ways to ask for it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from tests.walk.operations import Operation
from tests.walk.policy import Policy
from tests.walk.snapshot import snapshot
from tests.walk.world import Answer, Caller, World

#: How often the model server has been asked.
Calls = Callable[[], int]


@dataclass(frozen=True)
class Walk:
    """One operation in one world, and every way to ask for it."""

    operation: Operation
    policy: Policy
    world: World
    calls: Calls

    @property
    def owner(self) -> Caller:
        """Who may do it."""
        return self.signed(self.world.staff if self.policy.role == "staff" else self.world.ann)

    @property
    def callers(self) -> list[Caller]:
        """Everybody, in each way that they can prove who they are."""
        everybody = [self.signed(caller) for caller in self.world.everybody]
        return [*everybody, self.owner.in_session()] if self.policy.is_usual else everybody

    def signed(self, caller: Caller) -> Caller:
        """The same person, as this operation is told who it is."""
        sign = self.policy.sign
        return caller if sign is None or caller.user is None else caller.signing(sign(caller))

    def may(self, caller: Caller) -> bool:
        """Whether the caller has the role."""
        return self.policy.role == "member" or caller.is_staff

    def url(self, caller: Caller, **given: Any) -> str:
        """The address; keywords that are not given name rows that the caller may use, and so does the query."""
        others = {name: places[0] for name, places in self.policy.path.items() if name not in given}
        names = {name: self._named(place, caller) for name, place in others.items()}
        query = {name: self._named(place, caller) for name, place in self.policy.query.items()} | self.policy.asked
        return reverse(self.operation.name, kwargs={**self.policy.given, **names, **given}, query=query or None)

    def _named(self, place: str, caller: Caller) -> Any:
        """One's own, or the owner's where one has none."""
        has_one = any(row.is_visible(caller) for row in self.world.of(place.partition(".")[0]))
        return self.world.own(place, caller if has_one else self.owner)

    def body(self, caller: Caller) -> Any:
        """A body that would succeed."""
        return self.policy.body(self.world, caller) if self.policy.body else None

    def ask(self, caller: Caller, url: str, *, body: Any = None, query: str = "", **headers: str) -> Answer:
        """Ask for it at `url`, with the policy's body unless one is given."""
        sent = body if body is not None else self.body(caller if caller.user else self.owner)
        arguments = [] if sent is None else [sent]
        return caller.send(self.operation.method, joined(url, query), *arguments, headers=headers)

    @contextmanager
    def without_effect(self) -> Iterator[None]:
        """Nothing is stored, changed or deleted inside, and no model server is asked."""
        before, calls = snapshot(), self.calls()
        yield
        assert snapshot() == before, f"{self.operation.key} had an effect"
        assert self.calls() == calls, f"{self.operation.key} asked the model server"

    def places(self) -> Iterator[tuple[str, str]]:
        """Every keyword of the route with every place it may name."""
        for keyword, places in self.policy.path.items():
            for place in places:
                yield keyword, place


def joined(url: str, query: str) -> str:
    """The address with a further query, which begins with `?` or is empty."""
    return f"{url}&{query[1:]}" if query and "?" in url else f"{url}{query}"


def require(answer: Answer, status: int, what: str) -> None:
    assert answer.status == status, f"{what}: {answer}"
    if status >= 400:
        assert answer.is_error, f"{what}: {answer}"


def require_same(answers: Sequence[Answer], what: str) -> None:
    for answer in answers[1:]:
        assert answer.told == answers[0].told, f"{what} can be told apart:\n{answers[0]}\n{answer}"


def own_hidden_absent(walk: Walk, caller: Caller) -> list[str]:
    """Addresses with ids of every sort, of one's own, of others, and of nothing."""
    urls = [walk.url(caller)]
    for keyword, place in walk.places():
        for value in walk.world.hidden(place, caller):
            pair = (value, walk.world.absent(place, value))
            urls += [walk.url(caller, **{keyword: chosen}) for chosen in pair]
    return urls
