"""What no sensible caller sends, to every operation: a 4xx that says what is wrong, never a 500, and nothing written.

Each operation gets a sample of the corpus that is different from the next's; `AUTOMATE_TEST_WALK=full` sends all of it.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from django.db import transaction
from django.urls import Resolver404, resolve, reverse

from automate_api.v1.schema import SchemaGenerator
from tests.upstream import FakeUpstream
from tests.walk import corpus
from tests.walk.corpus import Bad
from tests.walk.operations import Operation
from tests.walk.policy import POLICIES
from tests.walk.snapshot import Watch
from tests.walk.test_walk import OPERATIONS
from tests.walk.walk import Walk, joined
from tests.walk.world import Answer, Caller, World

pytestmark = pytest.mark.slow

FULL = os.environ.get("AUTOMATE_TEST_WALK") == "full"
#: One of so many is sent where not all are.
SAMPLE = 1 if FULL else 7

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

# What anybody may send is tried where it is signed: tests/automate/services/test_hooks.py.
KNOWN = [found for found in OPERATIONS if found.key in POLICIES and not POLICIES[found.key].is_public]


@cache
def schema() -> Any:
    """The OpenAPI description."""
    return SchemaGenerator().get_schema(request=None, public=True)


def described(operation: Operation, url: str) -> dict[str, Any]:
    """The operation in the OpenAPI description; empty where it is not in there."""
    # A path of words comes before one in which an id might be such a word.
    for path, item in sorted(schema()["paths"].items(), key=lambda found: found[0].count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), url):
            found: dict[str, Any] = item.get(operation.method.lower(), {})
            return found
    return {}


def fields(described: dict[str, Any]) -> list[str]:
    """The dotted names of the fields that an operation's body takes."""
    content = described.get("requestBody", {}).get("content", {}).get(corpus.JSON, {})
    body = resolved(content.get("schema", {}))
    # Of several forms of a body the first; what a field of it holds depends on what is sent.
    return list(_names(body.get("anyOf", [body])[0]))


def _names(part: Any, prefix: str = "") -> Iterator[str]:
    part = resolved(part)
    for name, inner in part.get("properties", {}).items():
        if not resolved(inner).get("readOnly"):
            yield prefix + name
            yield from _names(inner, f"{prefix}{name}.")


def resolved(part: Any) -> Any:
    """`part`, or the component it refers to."""
    for inner in [part, *part.get("allOf", ())]:
        if "$ref" in inner:
            _document, components, kind, name = inner["$ref"].split("/")
            return schema()[components][kind][name]
    return part


@dataclass
class Attempt:
    """One operation, asked badly by somebody who may do it."""

    walk: Walk
    watch: Watch
    place: int

    def sample(self, bad: Iterable[Bad]) -> Iterator[Bad]:
        """All of the corpus, or a part that is this operation's."""
        for number, one in enumerate(bad):
            if (number + self.place) % SAMPLE == 0:
                yield one

    def failures(self, attempts: Iterable[tuple[str, Bad]], caller: Caller | None = None) -> list[str]:
        """What went wrong with requests to these addresses. Each leaves everything as it was."""
        asking = caller or self.walk.owner
        return [failure for url, bad in attempts for failure in self._failures(asking, url, bad)]

    def _failures(self, caller: Caller, url: str, bad: Bad) -> Iterator[str]:
        method = self.walk.operation.method
        with undone(), self.watch.watching():
            sent = {"content_type": bad.content_type if bad.content_type is not None else corpus.JSON}
            address = joined(url, bad.query)
            if bad.body is None and (good := self.walk.body(self.walk.owner)) is not None:
                answer = caller.send(method, address, good, headers=dict(bad.headers), **sent)
            elif bad.body is None:
                answer = caller.send(method, address, headers=dict(bad.headers))
            else:
                answer = caller.send(method, address, bad.body, headers=dict(bad.headers), **sent)
            unchanged = answer.status < 400 or self.watch.is_unchanged()
            unreadable = self._unreadable(caller) if answer.status < 300 and bad.body is not None else []
        said = f"{method} {url[:80]} {bad.what}: {str(answer)[:400]}"
        if answer.status not in bad.statuses:
            yield f"expected another status: {said}"
        if not unchanged:
            yield f"written: {said}"
        if not _CORRELATION_ID.fullmatch(answer.headers.get("X-Correlation-ID", "")) and is_route(url):
            yield f"no correlation id: {said}"
        yield from (f"{answer} after {said}" for answer in unreadable)
        if answer.status >= 400 and not answer.is_error and is_route(url):
            yield f"no problem: {said}"

    def _unreadable(self, caller: Caller) -> list[Answer]:
        """The answers of lists that cannot be read once a value was taken."""
        names = {re.sub("-(detail|list)$", "-list", self.walk.operation.name), "automate_api:model-list"}
        lists = [reverse(name) for name in names if name.endswith("-list")]
        answers = [caller.send("GET", f"{url}?page_size=200" if "models" not in url else url) for url in lists]
        return [answer for answer in answers if answer.status != 200]


def is_route(url: str) -> bool:
    """Whether the address is one of a route; elsewhere the host answers."""
    try:
        resolve(url.partition("?")[0])
    except Resolver404:
        return False
    return True


@contextmanager
def undone() -> Iterator[None]:
    """What is stored inside is gone afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def attempt(request: pytest.FixtureRequest, world: World, upstream: FakeUpstream) -> Attempt:
    operation = request.param
    walk = Walk(operation, POLICIES[operation.key], world, lambda: len(upstream.requests))
    return Attempt(walk, Watch(), KNOWN.index(operation))


def of(operations: Iterable[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("attempt", operations, ids=lambda operation: operation.key, indirect=True)


# Forms are tried in tests/automate_api/v1/test_uploads.py.
WITH_BODY = [operation for operation in KNOWN if POLICIES[operation.key].body and not POLICIES[operation.key].is_form]
WITH_PATH = [operation for operation in KNOWN if POLICIES[operation.key].path]


@of(WITH_BODY)
def test_a_body_that_cannot_be_read_is_refused(attempt: Attempt) -> None:
    url = attempt.walk.url(attempt.walk.owner)
    bodies = (with_forms(bad) if attempt.walk.policy.takes_forms else bad for bad in corpus.bodies())
    assert attempt.failures((url, bad) for bad in attempt.sample(bodies)) == []


def with_forms(bad: Bad) -> Bad:
    """The same where a form would be read, if it were one."""
    is_form = (bad.content_type or "").startswith("multipart/form-data")
    return replace(bad, statuses=frozenset({400})) if is_form else bad


@of([operation for operation in KNOWN if not operation.is_safe and operation not in WITH_BODY])
def test_a_body_that_nobody_asked_for_does_no_harm(attempt: Attempt) -> None:
    url = attempt.walk.url(attempt.walk.owner)
    bad = (Bad(one.what, body=one.body, content_type=one.content_type) for one in corpus.bodies())
    assert attempt.failures((url, one) for one in attempt.sample(bad)) == []


@of(WITH_BODY)
def test_a_field_takes_what_fits_and_refuses_the_rest(attempt: Attempt) -> None:
    url = attempt.walk.url(attempt.walk.owner)
    names = fields(described(attempt.walk.operation, url))
    assert set(attempt.walk.body(attempt.walk.owner)) <= set(names)
    bad = [
        Bad(f"{name}: {what}", body=with_value(attempt.walk.body(attempt.walk.owner), name, value))
        for name in names
        for what, value in corpus.VALUES.items()
    ]
    assert attempt.failures((url, one) for one in attempt.sample(bad)) == []


def with_value(body: dict[str, Any], name: str, value: str) -> bytes:
    """`body` as JSON with the JSON text `value` at the dotted `name`."""
    *outer, last = name.split(".")
    inner = body
    for part in outer:
        inner = inner.setdefault(part, {})
    inner[last] = "\0"
    return json.dumps(body).encode().replace(b'"\\u0000"', value.encode(), 1)


@of(KNOWN)
def test_a_query_is_known_or_refused(attempt: Attempt) -> None:
    url = attempt.walk.url(attempt.walk.owner)
    known = {
        parameter["name"]
        for parameter in map(resolved, described(attempt.walk.operation, url.partition("?")[0]).get("parameters", ()))
        if parameter["in"] == "query"
    }
    assert attempt.failures((url, bad) for bad in attempt.sample(corpus.queries(sorted(known)))) == []


@of(WITH_PATH)
def test_an_id_that_is_none_is_not_found(attempt: Attempt) -> None:
    bad = []
    for keyword, place in attempt.walk.places():
        # `reverse` would refuse some and encode others.
        before, after = attempt.walk.url(attempt.walk.owner, **{keyword: "987654321"}).split("987654321")
        own = attempt.walk.world.own(place, attempt.walk.owner)
        values = (*corpus.IDS, *(spelling.format(own) for spelling in corpus.SPELLINGS if isinstance(own, int)))
        statuses = frozenset({404, attempt.walk.policy.hidden})
        bad += [(f"{before}{value}{after}", Bad(f"the id {value}", statuses)) for value in values]
    assert attempt.failures(attempt.sample(bad)) == []


@of(KNOWN)
def test_headers_make_no_difference_or_are_refused(attempt: Attempt) -> None:
    url = attempt.walk.url(attempt.walk.owner)
    accepted = corpus.ANY if attempt.walk.policy.has_one_form else frozenset[int]()
    bad = (replace(bad, statuses=bad.statuses | accepted) for bad in corpus.headers())
    assert attempt.failures((url, one) for one in attempt.sample(bad)) == []


@of([operation for operation in KNOWN if operation.method == "POST" and POLICIES[operation.key].takes_keys])
def test_an_idempotency_key_that_is_none_is_refused(attempt: Attempt) -> None:
    url = attempt.walk.url(attempt.walk.owner)
    assert attempt.failures((url, bad) for bad in corpus.idempotency_keys()) == []


@of(KNOWN)
def test_credentials_that_are_none_are_refused(attempt: Attempt) -> None:
    url = attempt.walk.url(attempt.walk.owner)
    bad = (
        Bad(f"{name}: {value[:50]!r}", frozenset({401}), headers={name: value}) for name, value in corpus.CREDENTIALS
    )
    assert attempt.failures(((url, one) for one in attempt.sample(bad)), attempt.walk.world.nobody) == []
