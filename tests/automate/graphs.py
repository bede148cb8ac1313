"""Random definitions: right by construction, or with one fault of which it is known whose it is.

`definitions()` and `faulty_definitions()` are made of the types `KINDS`, or of those that are named. A test that
runs what it gets can add types of its own: each a name, and a strategy of settings. What expressions refer to in
`event.payload` is `n` (a whole number), `text` and `items` (a list of whole numbers).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Step = dict[str, Any]
Settings = st.SearchStrategy[dict[str, Any]]
Draw = Callable[[st.SearchStrategy[Any]], Any]

KINDS = ("set", "branch", "for_each", "wait", "emit", "approval")
PAYLOAD = {"n": 3, "text": "hello", "items": [1, 2]}

_LITERALS = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from(["", "x", "é", "{{ 7 * 7 }}", "$.event", "__class__"])
)


@dataclass(frozen=True)
class _World:
    """What steps may be made of."""

    kinds: tuple[str, ...]
    extra: Mapping[str, Settings]
    most_steps: int


@dataclass(frozen=True)
class _Sight:
    """What expressions may refer to."""

    steps: tuple[str, ...] = ()
    in_body: bool = False

    def rules(self) -> list[str]:
        """Expressions that give true or false."""
        return [
            "true",
            "event.payload.n > 2",
            "event.payload.text == 'other' || event.type != ''",
            *(f"steps.{name}.status == 'succeeded'" for name in self.steps),
            *(["index < 1"] if self.in_body else []),
        ]

    def values(self) -> list[Step]:
        """Expressions that give anything."""
        return [
            {"cel": "event.payload.n + 1"},
            {"cel": "size(event.payload.text) > 2 ? 'long' : 'short'"},
            {"path": "$.event.payload['text']"},
            {"path": "$.event.payload.items[-1]"},
            {"value": {"cel": "this is no expression"}},
            *({"cel": f"steps.{name}.output"} for name in self.steps),
            *({"path": f"$.steps.{name}.status"} for name in self.steps),
            *([{"cel": "item"}, {"cel": "index * 2"}] if self.in_body else []),
        ]


@st.composite
def definitions(
    draw: Draw, *, kinds: Collection[str] = KINDS, extra: Mapping[str, Settings] | None = None, most_steps: int = 7
) -> dict[str, Any]:
    """A definition in which nothing is wrong.

    Args:
        kinds: the types of steps, of `KINDS`.
        extra: further types, each with its settings.
        most_steps: at most as many in each list of steps.
    """
    world = _World(tuple(kinds), extra or {}, most_steps)
    steps = _steps(draw, world, _Sight(), prefix="s", depth=0)
    definition: dict[str, Any] = {"steps": steps}
    if draw(st.booleans()):
        definition["condition"] = draw(st.sampled_from(["", "event.payload.n > 0", "has(event.payload.text)"]))
    if draw(st.booleans()):
        names = tuple(step["name"] for step in steps)
        definition["output"] = {"all": draw(st.lists(st.sampled_from(_Sight(names).values()), max_size=3))}
    return definition


def _steps(draw: Draw, world: _World, sight: _Sight, *, prefix: str, depth: int) -> list[Step]:
    """Steps in an order in which each has at least one before it that leads to it."""
    count = draw(st.integers(1, world.most_steps if not depth else 3))
    names = [f"{prefix}{number}" for number in range(count)]
    parents = [draw(st.sets(st.integers(0, number - 1), min_size=1, max_size=2)) for number in range(1, count)]
    above: list[set[int]] = [set()]
    for own in parents:
        above.append(own.union(*(above[parent] for parent in own)))
    steps = []
    for number, name in enumerate(names):
        seen = _Sight((*sight.steps, *(names[other] for other in sorted(above[number]))), sight.in_body)
        children = [names[child] for child in range(number + 1, count) if number in parents[child - 1]]
        steps.append(_step(draw, world, seen, name, children, depth))
    return steps


def _step(draw: Draw, world: _World, sight: _Sight, name: str, children: list[str], depth: int) -> Step:
    kinds = [kind for kind in world.kinds if kind != "branch" or children]
    kinds = [kind for kind in kinds if kind != "for_each" or depth < 2]
    kind = draw(st.sampled_from([*kinds, *world.extra]))
    step: Step = {"name": name, "type": kind}
    if children and len(children) > (kind == "branch") and draw(st.integers(0, 3)) == 0:
        *children, step["on_error"] = children
    if kind == "branch":
        step["with"] = _branch(draw, sight, children)
    else:
        step["with"] = _settings(draw, world, sight, step, depth)
        step["next"] = children
    if draw(st.booleans()):
        step["retries"] = draw(st.integers(0, 2))
    return step


def _settings(draw: Draw, world: _World, sight: _Sight, step: Step, depth: int) -> Step:
    if step["type"] in world.extra:
        return dict(draw(world.extra[step["type"]]))
    if step["type"] == "for_each":
        return _for_each(draw, world, sight, step["name"], depth)
    values = st.one_of(
        _LITERALS, st.sampled_from(sight.values()), st.lists(st.sampled_from(sight.values()), max_size=2)
    )
    members = st.dictionaries(st.sampled_from(["a", "b", "__proto__", "with space"]), values, max_size=3)
    found: Step = draw(
        {
            "set": st.fixed_dictionaries({"values": members}),
            "emit": st.fixed_dictionaries({"event": st.just("made.by.a.step")}, optional={"payload": members}),
            "approval": st.fixed_dictionaries({}, optional={"message": st.sampled_from(["", "Shall we?"])}),
            "wait": _waits(sight),
        }[step["type"]]
    )
    return found


def _waits(sight: _Sight) -> Settings:
    awaited = st.fixed_dictionaries({"type": st.just("awaited")}, optional={"where": st.sampled_from(sight.rules())})
    return st.one_of(
        st.fixed_dictionaries({"seconds": st.integers(0, 1) | st.just({"cel": "1 - 1"})}),
        st.just({"until": {"cel": "event.occurred_at"}}),
        st.fixed_dictionaries({"event": awaited}, optional={"timeout": st.integers(0, 1)}),
    )


def _branch(draw: Draw, sight: _Sight, children: list[str]) -> Step:
    *cases, last = children
    found: Step = {"cases": [{"when": draw(st.sampled_from(sight.rules())), "next": name} for name in cases]}
    if cases and draw(st.booleans()):
        return {**found, "otherwise": last}
    found["cases"].append({"when": draw(st.sampled_from(sight.rules())), "next": last})
    return found


def _for_each(draw: Draw, world: _World, sight: _Sight, name: str, depth: int) -> Step:
    items = draw(st.sampled_from([[], [1, "x"], {"cel": "event.payload.items"}, {"cel": "[1, 2].map(n, n * 2)"}]))
    body = _steps(draw, world, _Sight(sight.steps, in_body=True), prefix=f"{name}_", depth=depth + 1)
    found: Step = {"items": items, "steps": body}
    if draw(st.booleans()):
        names = tuple(step["name"] for step in body)
        found["output"] = draw(st.sampled_from(_Sight(names, in_body=True).values()))
    if draw(st.booleans()):
        found["parallel"] = draw(st.integers(1, 3))
    return found


@dataclass(frozen=True)
class Faulty:
    """A definition with one fault: an error with the code `code` has to name `step`."""

    definition: dict[str, Any]
    step: str
    code: str


@dataclass(frozen=True)
class _Place:
    """A step of a definition, and the list it stands in."""

    steps: list[Step]
    step: Step
    depth: int


@st.composite
def faulty_definitions(
    draw: Draw, *, kinds: Collection[str] = KINDS, extra: Mapping[str, Settings] | None = None
) -> Faulty:
    """A definition with one fault, which may have others for its consequence."""
    definition = deepcopy(draw(definitions(kinds=kinds, extra=extra)))
    place = draw(st.sampled_from(list(_places(definition["steps"]))))
    fault = draw(st.sampled_from([fault for fault in FAULTS if fault.fits(place)]))
    step = fault.make(place)
    return Faulty(definition, step, fault.code)


def _places(steps: list[Step], depth: int = 0) -> Iterator[_Place]:
    for step in steps:
        yield _Place(steps, step, depth)
        if step["type"] == "for_each":
            yield from _places(step["with"]["steps"], depth + 1)


@dataclass(frozen=True)
class _Fault:
    """How a definition is spoiled; `make` returns the name of the step that errors have to name."""

    code: str
    make: Callable[[_Place], str]
    fits: Callable[[_Place], bool] = lambda _place: True


def _spoil(code: str, fits: Callable[[_Place], bool], **members: Any) -> _Fault:
    """A fault that is made by other members of a step."""

    def make(place: _Place) -> str:
        place.step.update(deepcopy(members))
        return str(place.step["name"])

    return _Fault(code, make, fits)


def _spoil_settings(code: str, kind: str, **members: Any) -> _Fault:
    def make(place: _Place) -> str:
        place.step["with"].update(deepcopy(members))
        return str(place.step["name"])

    return _Fault(code, make, lambda place: place.step["type"] == kind)


def _cycle(place: _Place) -> str:
    place.step["on_error"] = place.steps[0]["name"]
    return str(place.step["name"])


def _orphan(place: _Place) -> str:
    place.steps.append({"name": "orphan", "type": "set", "with": {"values": {}}})
    return "orphan"


def _double(place: _Place) -> str:
    place.steps.append(deepcopy({**place.step, "with": {}, "type": "approval", "next": []}))
    return str(place.step["name"])


def _too_early(place: _Place) -> str:
    place.step["with"]["values"] = {"a": {"cel": f"steps.{place.step['name']}.output"}}
    return str(place.step["name"])


def _both(place: _Place) -> str:
    place.step["next"] = [place.step["with"]["cases"][0]["next"]]
    return str(place.step["name"])


def _no_condition(place: _Place) -> str:
    place.step["with"]["cases"][0]["when"] = "1 + 1"
    return str(place.step["name"])


def _unset(place: _Place) -> str:
    del place.step["with"]["values"]
    return str(place.step["name"])


def _is(kind: str) -> Callable[[_Place], bool]:
    return lambda place: place.step["type"] == kind


_any, _calm = (lambda _place: True), (lambda place: "on_error" not in place.step)
FAULTS = [
    _spoil("unknown_type", _is("approval"), type="no.such.type"),
    _spoil("unknown_step", _calm, on_error="nowhere"),
    _spoil("unknown_step", lambda place: place.step.get("next") == [], next=["nowhere"]),
    _Fault("not_allowed", _both, _is("branch")),
    _Fault("cycle", _cycle, _calm),
    _spoil("maximum", _any, retries=99),
    _spoil("type", _any, timeout="soon"),
    _spoil("unknown_field", _any, nxt=["s1"]),
    _spoil_settings("unknown_field", "emit", colour="red"),
    _spoil_settings("type", "set", values={"cel": "1 + 2"}),
    _spoil_settings("type", "wait", timeout={"cel": "'soon'"}),
    _Fault("wrong_type", _no_condition, _is("branch")),
    _spoil_settings("invalid_expression", "set", values={"a": {"cel": "1 +"}}),
    _spoil_settings("invalid_expression", "set", values={"a": {"cel": "'x' - 1"}}),
    _spoil_settings("invalid_path", "set", values={"a": [{"path": "$..a"}]}),
    _spoil_settings("unknown_name", "set", values={"a": {"cel": "evnt.payload"}}),
    _spoil_settings("unknown_name", "set", values={"a": {"path": "$.steps.nowhere.output"}}),
    _spoil_settings("unknown_name", "for_each", items={"cel": "event.pay_load"}),
    _spoil_settings("minItems", "for_each", steps=[], output=None),
    _spoil_settings("secret_not_allowed", "emit", payload={"a": {"secret": "shop"}}),
    _Fault("required", _unset, _is("set")),
    _Fault("not_ended", _too_early, _is("set")),
    _Fault("duplicate_name", _double),
    _Fault("unreachable", _orphan),
]
