"""Events: each is stored once, whoever sends it how often, and each handler is called once for it."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from automate_api import events
from automate_api.events import at_depth, depth, on_event
from automate_api.exceptions import Conflict, NotConfigured, PermissionDenied, RunCancelled
from automate_api.models import Actor, Event, Execution, Job, JobStep
from automate_api.models.batches import BatchInsert, BatchKeys
from automate_api.services.attempts import work_on
from automate_api.services.events import ACCEPTED, DUPLICATE, ingest
from automate_api.services.jobs import cancel_job
from automate_api.services.runs import prepare_replay
from tests.factories import make_actor
from tests.hosts.shop.models import Item
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture
from tests.jobs.making import age, fresh, kinds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]


@pytest.fixture(autouse=True)
def nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No handlers but those that a test registers."""
    monkeypatch.setattr(events, "_registry", {})
    Told.calls, Told.failing = [], set()


class Told:
    """What the handlers here were told: `(handler, n)` in order; those in `failing` fail."""

    calls: ClassVar[list[tuple[str, Any]]] = []
    failing: ClassVar[set[tuple[str, Any]]] = set()


def _tell(name: str, event: Event) -> None:
    call = (name, event.payload["n"])
    Told.calls.append(call)
    Item.objects.create(name=f"{name} {call[1]}", code=event.pk)
    event.payload["n"] = "spoilt"
    if call in Told.failing:
        raise RuntimeError("the password is hunter2")


def book(event: Event) -> None:
    """A handler."""
    _tell("book", event)


def mail(event: Event) -> None:
    """A handler."""
    _tell("mail", event)


def clash(event: Event) -> None:
    """A handler whose work cannot be committed."""
    Item.objects.create(name="clash", project_id=987654)


def send_another(event: Event) -> None:
    """A handler that sends an event."""
    actor = Actor(user=event.user, tenant_id=event.tenant_id)
    ingest([{"type": "book.found", "source": "shop", "payload": {"n": 2}}], actor=actor, correlation_id="c")


def stop(event: Event) -> None:
    """A handler that raises what would stop a job."""
    raise RunCancelled


def leave(event: Event) -> None:
    """A handler that would end the process."""
    raise SystemExit(3)


def interrupt(event: Event) -> None:
    """A handler that would end the loop all runs of the process are on."""
    raise KeyboardInterrupt


def call_off(event: Event) -> None:
    """A handler that lets out what another loop's task was cancelled with."""
    raise asyncio.CancelledError


def close(event: Event) -> None:
    """A handler that would end a generator."""
    raise GeneratorExit


def dawdle(event: Event) -> None:
    """A handler that takes longer than the job may."""
    time.sleep(0.5)
    _tell("dawdle", event)


def swallow(event: Event) -> None:
    """A handler that goes on after the database has refused something."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM nothing_of_the_kind")
    except Exception:  # noqa: BLE001 - that is the fault
        Item.objects.create(name="swallow")


def told(n: Any, **more: Any) -> dict[str, Any]:
    """An event to send."""
    return {"type": "order.paid", "source": "shop", "payload": {"n": n}, **more}


def keyed(*keys: Any, **more: Any) -> list[dict[str, Any]]:
    """Events with these keys."""
    return [told(number, idempotency_key=key, **more) for number, key in enumerate(keys)]


def send(items: list[dict[str, Any]], actor: Actor | None = None) -> list[tuple[Any, str]]:
    return ingest(items, actor=actor or make_actor(), correlation_id="c-1")


def statuses(items: list[dict[str, Any]], actor: Actor | None = None) -> list[str]:
    return [status for _pk, status in send(items, actor)]


def tried_again(job: Job) -> Job:
    """The job after its next attempt."""
    age(job, 3600)
    assert work_on(job.pk)
    return fresh(job)


# -- stored once -----------------------------------------------------------------------------------------------------


def test_events_are_stored_as_they_were_sent() -> None:
    actor, now = make_actor(tenant_id="acme"), timezone.now()
    occurred = now.replace(year=2001)
    answers = send([told(1), told(2, idempotency_key="k", occurred_at=occurred), {"type": "a", "source": "b"}], actor)
    first, second, third = (Event.objects.get(pk=pk) for pk, _status in answers)
    assert [status for _pk, status in answers] == [ACCEPTED] * 3
    assert (first.type, first.source, first.payload, first.idempotency_key) == ("order.paid", "shop", {"n": 1}, None)
    assert (first.tenant_id, first.user, first.correlation_id) == ("acme", actor.user, "c-1")
    assert (second.idempotency_key, second.occurred_at, third.payload) == ("k", occurred, {})
    assert first.occurred_at == third.occurred_at >= now
    assert first.created_at == second.created_at == third.created_at
    assert first.pk < second.pk < third.pk
    assert Execution.objects.count() == Job.objects.count() == 0


def test_of_those_with_the_same_key_the_first_is_stored() -> None:
    answers = send(keyed("b", "a", "b", None, None, "b", "a"))
    assert [status for _pk, status in answers] == [ACCEPTED, ACCEPTED, DUPLICATE, ACCEPTED, ACCEPTED, *[DUPLICATE] * 2]
    ids = [pk for pk, _status in answers]
    assert (ids[2], ids[5], ids[6]) == (ids[0], ids[0], ids[1])
    assert set(Event.objects.values_list("pk", "payload__n")) == {(ids[n], n) for n in (0, 1, 3, 4)}


def test_one_that_was_stored_before_keeps_its_id_and_what_it_said() -> None:
    [(pk, _status)] = send(keyed("k"))
    again = {**told(7, idempotency_key="k"), "type": "order.lost", "occurred_at": timezone.now()}
    answers = send([told(1), again, *keyed("other")], make_actor())
    assert answers[1] == (pk, DUPLICATE)
    assert [status for _pk, status in answers] == [ACCEPTED, DUPLICATE, ACCEPTED]
    assert Event.objects.get(pk=pk).payload == {"n": 0}
    assert Event.objects.count() == 3


def test_a_key_is_its_sources_and_its_tenants() -> None:
    acme, globex = make_actor(tenant_id="acme"), make_actor(tenant_id="globex")
    assert statuses(keyed("k"), acme) == statuses(keyed("k"), globex) == [ACCEPTED]
    assert statuses(keyed("k", source="till"), acme) == [ACCEPTED]
    assert statuses(keyed("k"), Actor(user=globex.user, tenant_id="acme")) == [DUPLICATE]
    assert len({pk for pk, _status in send(keyed("k"), acme) + send(keyed("k"), globex)}) == 2


@pytest.mark.parametrize(
    "text",
    [
        "' OR 1=1; --", '"', "\\", "\\u0000", "{}", "[1]", "%s", "%(x)s", "\U0001f600", "שלום", "a\tb\nc", "null",
        "true", "1", "\u2028", "\U0001d54f" * 100, "x" * 200, "\x7f", "a\x00b", "\ud800", "--", "$1", "?", ":x", "\x1f",
    ],
)  # fmt: skip
def test_hostile_texts_are_stored_and_known_again(text: str) -> None:
    kept = text.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    items = [{"type": "a", "source": text, "idempotency_key": text, "payload": {text: [text, {"deep": text}]}}]
    [(pk, status)] = send(items)
    assert status == ACCEPTED
    assert Event.objects.get(pk=pk).payload == {kept: [kept, {"deep": kept}]}
    assert Event.objects.get(pk=pk).source == kept
    assert send([*keyed("other"), *items])[1] == (pk, DUPLICATE)


@pytest.mark.parametrize("number", [0, -0.0, 1.5e22, 5e-324, 2**63, -(10**400), 0.1, True, None])
def test_numbers_are_kept(number: Any) -> None:
    [(pk, _status)] = send([told(number)])
    assert Event.objects.get(pk=pk).payload == {"n": number}


def test_secrets_are_not_stored(settings: Settings) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = [r"\d{4}"]
    key = "sk-0123456789abcdefghij"
    [(pk, _status)] = send([{"type": "pin.1234", "source": key, "payload": {key: [f"Bearer {key}", "1234"]}}])
    event = Event.objects.get(pk=pk)
    assert (event.type, event.source) == ("pin.[redacted]", "[redacted]")
    assert event.payload == {"[redacted]": ["Bearer [redacted]", "[redacted]"]}


@pytest.mark.parametrize("secret", ["sk-0123456789abcdefghij", "aak_" + "0" * 32 + "_x", "BEARER abcdef012345"])
def test_secrets_are_found_where_nothing_else_is_looked_at_closely(secret: str) -> None:
    [(pk, _status)] = send([told(f"a\n{secret}")])
    assert "0" not in str(Event.objects.get(pk=pk).payload)


def test_keys_that_hold_secrets_are_told_apart_all_the_same(settings: Settings) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = [r"\d{4}"]
    items = [
        told(1, idempotency_key=key, source=source) for key in ("1234", "5678") for source in ("a", "1111", "2222")
    ]
    assert statuses([*items, *items]) == [ACCEPTED] * 6 + [DUPLICATE] * 6
    assert statuses(items) == [DUPLICATE] * 6
    stored = "".join(f"{event.source} {event.idempotency_key}" for event in Event.objects.all())
    assert not any(secret in stored.split() for secret in ("1234", "5678", "1111", "2222"))


def test_what_is_redacted_still_fits_its_column(settings: Settings) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = [r"[a-z]"]
    assert statuses([{"type": "a" * 200, "source": "b" * 200, "idempotency_key": "c" * 255}]) == [ACCEPTED]
    assert len(Event.objects.get().source) == 200


def test_handlers_that_are_called_where_the_event_is_sent_may_write(settings: Settings) -> None:
    """As with Django's immediate backend, which `TASKS` has unless it is set: they are called in another thread."""
    settings.AUTOMATE_API_JOB_DISPATCHER = "automate_api.dispatch.tasks.TasksDispatcher"
    actor = make_actor()
    on_event("book.sent")(send_another)
    on_event("book.found")(book)

    def send_first() -> None:
        try:
            send([{"type": "book.sent", "source": "shop", "payload": {"n": 1}}], actor)
        finally:
            connections.close_all()

    # Where they wait for each other, they wait for ever.
    sender = threading.Thread(target=send_first, daemon=True)
    sender.start()
    sender.join(20)
    assert not sender.is_alive()
    assert Told.calls == [("book", 2)]
    assert {job.status for job in Job.objects.all()} == {"succeeded"}


def test_without_a_tenant_nothing_is_stored() -> None:
    with pytest.raises(PermissionDenied):
        send([told(1)], Actor(user=make_actor().user, tenant_id=None))
    assert Event.objects.count() == 0


def test_what_somebody_sent_who_is_deleted_meanwhile_is_stored() -> None:
    on_event("*")(book)
    actor = make_actor()
    gone = Actor(user=type(actor.user)(pk=actor.user.pk), tenant_id="default")
    actor.user.delete()
    assert statuses(keyed("a", "b"), gone) == [ACCEPTED] * 2
    assert set(Event.objects.values_list("user", flat=True)) == {None}
    assert Execution.objects.get().user is None
    work_on(Job.objects.get().pk)
    assert fresh(Job.objects.get()).status == "succeeded"


def test_all_are_stored_or_none(settings: Settings) -> None:
    on_event("*")(book)
    settings.AUTOMATE_API_ENCRYPTION_KEYS = []
    with pytest.raises(NotConfigured):
        send(keyed("a", "b"))
    assert Event.objects.count() == Execution.objects.count() == Job.objects.count() == 0


def statements(items: list[dict[str, Any]], actor: Actor) -> int:
    with CaptureQueriesContext(connection) as captured:
        send(items, actor)
    return len(captured)


@pytest.mark.parametrize("handler", [None, book])
def test_a_thousand_take_as_many_statements_as_one(handler: Any) -> None:
    if handler:
        on_event("order.*")(handler)
    actor, keys = make_actor(), [f"k{number}" for number in range(1000)]
    # The transaction and the insertion; the job with its execution and its first event.
    new = 8 if handler else 3
    assert statements(keyed("a"), actor) == statements(keyed(*keys), actor) == new
    assert statements(keyed(None), actor) == statements(keyed(*[None] * 1000), actor) == new
    # Besides, the search for those that are there.
    assert statements(keyed("a", "b"), actor) == statements(keyed(*keys, "c"), actor) == new + 1
    assert statements(keyed("a"), actor) == statements(keyed(*keys), actor) == 4


def test_a_pair_is_found_and_not_a_source_and_a_key_apart() -> None:
    send([*keyed("k1", source="s1"), *keyed("k2", source="s2")])
    known = BatchKeys(Event, by=("source", "idempotency_key"), same=("tenant_id",))
    assert known.find([("s1", "k2"), ("s2", "k1")], "default") == {}
    assert set(known.find([("s1", "k1"), ("s1", "k2")], "default")) == {("s1", "k1")}


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there nobody deletes while somebody else writes")
def test_one_that_is_deleted_while_it_is_sent_again_is_stored_again(monkeypatch: pytest.MonkeyPatch) -> None:
    find, insert, inserted = BatchKeys.find, BatchInsert.insert, []

    def find_after_deletion(self: Any, *args: Any) -> Any:
        monkeypatch.setattr(BatchKeys, "find", find)
        with ThreadPoolExecutor(1) as threads:
            threads.submit(delete_others).result()
        return find(self, *args)

    def delete_others() -> None:
        Event.objects.filter(idempotency_key="k").delete()
        connections.close_all()

    def noted(self: Any, rows: Any, **same: Any) -> int:
        inserted.append([row["idempotency_key"] for row in rows])
        return insert(self, rows, **same)

    send(keyed("k"))
    monkeypatch.setattr(BatchKeys, "find", find_after_deletion)
    monkeypatch.setattr(BatchInsert, "insert", noted)
    [(pk, status), *_others] = send(keyed("k", None, "a", "z"))
    assert status == ACCEPTED
    assert Event.objects.get(idempotency_key="k").pk == pk
    assert Event.objects.count() == 4
    # From the beginning: whoever goes on with "k" holds "z" already, which one who holds "k" may be waiting for.
    assert inserted == [[None, "a", "k", "z"]] * 2


def test_of_writers_at_once_one_stores_each() -> None:
    actor, keys = make_actor(), [f"k{number}" for number in range(300)]
    batches = [keyed(*keys), keyed(*reversed(keys)), keyed(*keys[100:], *keys[:100]), keyed(*keys[::-2])]
    begin = threading.Barrier(len(batches))

    def write(items: list[dict[str, Any]]) -> list[tuple[Any, str]]:
        begin.wait(10)
        try:
            return send(items, actor)
        finally:
            connections.close_all()

    for _round in range(3):
        Event.objects.all().delete()
        with ThreadPoolExecutor(len(batches)) as threads:
            answers = list(threads.map(write, batches))
        assert Event.objects.count() == len(keys)
        accepted: dict[Any, int] = {}
        for items, answer in zip(batches, answers, strict=True):
            for item, (pk, status) in zip(items, answer, strict=True):
                assert Event.objects.get(pk=pk).idempotency_key == item["idempotency_key"]
                accepted[pk] = accepted.get(pk, 0) + (status == ACCEPTED)
        assert set(accepted.values()) == {1}


# -- handled once ----------------------------------------------------------------------------------------------------


def test_handlers_are_called_by_a_worker_once_the_events_are_committed(asked: Any) -> None:  # noqa: F811
    on_event("order.paid")(book)
    on_event("order.*")(mail)
    with transaction.atomic():
        send([told(1), {**told(2), "type": "order.lost"}, {**told(3), "type": "else"}])
        assert asked == []
    job = Job.objects.get()
    assert [pk for pk, _delay in asked] == [job.pk]
    assert (job.execution.task_type, job.execution.endpoint, job.execution.endpoint_version) == (
        "event.handle",
        None,
        None,
    )
    assert (job.execution.correlation_id, len(job.execution.input["events"]), Told.calls) == ("c-1", 2, [])
    assert work_on(job.pk)
    assert Told.calls == [("book", 1), ("mail", 1), ("mail", 2)]
    assert fresh(job).execution.output == {"events": 2, "calls": 3}
    assert (fresh(job).status, fresh(job).progress) == ("succeeded", {"done": 2, "total": 2})


def test_duplicates_are_nobodys_business() -> None:
    on_event("*")(book)
    send(keyed("a", "a"))
    send(keyed("a", "a"))
    send(keyed("a", "b"))
    assert [len(job.execution.input["events"]) for job in Job.objects.order_by("pk")] == [1, 1]


def test_nobody_is_told_of_what_nobody_asked_for() -> None:
    on_event("order.lost")(book)
    send([told(1)])
    assert Job.objects.count() == 0


@pytest.fixture
def failing() -> Job:
    """A job of three events with two handlers, of which one has failed for the second event."""
    on_event("*")(book)
    on_event("*")(mail)
    Told.failing = {("book", 2)}
    send([told(number) for number in (1, 2, 3)])
    job = Job.objects.get()
    work_on(job.pk)
    return job


def test_a_handler_that_fails_keeps_nobody_else_from_being_called(failing: Job) -> None:
    assert Told.calls == [(name, number) for number in (1, 2, 3) for name in ("book", "mail")]
    assert sorted(Item.objects.values_list("name", flat=True)) == ["book 1", "book 3", "mail 1", "mail 2", "mail 3"]
    assert fresh(failing).status == "retrying"


def test_only_what_has_failed_is_called_again(failing: Job) -> None:
    Told.calls, Told.failing = [], set()
    job = tried_again(failing)
    assert Told.calls == [("book", 2)]
    assert (job.status, job.execution.output) == ("succeeded", {"events": 3, "calls": 1})
    assert Item.objects.count() == 6 == JobStep.objects.count()


def test_after_the_last_attempt_the_job_has_failed(failing: Job, caplog: pytest.LogCaptureFixture) -> None:
    for _attempt in range(fresh(failing).max_attempts - 1):
        job = tried_again(failing)
    assert (job.status, job.error["code"], job.execution.error["code"]) == (
        "failed",
        "handler_failed",
        "handler_failed",
    )
    assert Told.calls.count(("book", 2)) == job.max_attempts
    event = Event.objects.get(payload__n=2)
    said = [logged.data["message"] for logged in job.events.filter(type="log")]
    assert said == [f"The handler {__name__}.book has failed for the event {event.pk}."] * job.max_attempts
    assert not any("hunter2" in str(logged.data) for logged in job.events.all())
    assert caplog.text.count("RuntimeError: the password is hunter2") == job.max_attempts - 1


@pytest.mark.parametrize("handler", [clash, stop, leave, interrupt, call_off, close, swallow])
def test_whatever_a_handler_does_is_its_own_failure(handler: Any) -> None:
    on_event("*")(handler)
    on_event("*")(mail)
    send([told(1), told(2)])
    job = Job.objects.get()
    work_on(job.pk)
    if handler is swallow and connection.vendor == "sqlite":
        # There the transaction goes on, and so the handler has not failed.
        assert fresh(job).status == "succeeded"
        return
    assert Told.calls == [("mail", 1), ("mail", 2)]
    assert sorted(Item.objects.values_list("name", flat=True)) == ["mail 1", "mail 2"]
    assert fresh(job).status == "retrying"
    assert kinds(job).count("log") == 2


def test_what_is_not_done_in_time_is_gone_on_with() -> None:
    on_event("*")(book)
    on_event("order.late")(dawdle)
    send([told(1), {**told(2), "type": "order.late"}, told(3)])
    job = Job.objects.get()
    Job.objects.update(timeout_seconds=0.2)
    work_on(job.pk)
    assert fresh(job).status == "retrying"
    assert ("book", 3) not in Told.calls
    Job.objects.update(timeout_seconds=60)
    assert tried_again(job).status == "succeeded"
    assert sorted(Item.objects.values_list("name", flat=True)) == ["book 1", "book 2", "book 3", "dawdle 2"]


def test_secrets_in_what_a_handler_raises_are_not_logged(caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = ["hunter2"]
    on_event("*")(book)
    Told.failing = {("book", 1)}
    send([told(1)])
    work_on(Job.objects.get().pk)
    assert "RuntimeError: the password is [redacted]" in caplog.text
    assert "hunter2" not in caplog.text


def test_of_two_workers_one_calls_the_handlers() -> None:
    on_event("*")(book)
    send([told(number) for number in range(50)])
    job = Job.objects.get()

    def work(_number: int) -> bool:
        try:
            return work_on(job.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(work, range(4))) == 1
    assert Told.calls == [("book", number) for number in range(50)]
    assert Item.objects.count() == 50


def test_a_job_that_is_cancelled_before_it_began_calls_nobody() -> None:
    on_event("*")(book)
    send([told(1)])
    job = Job.objects.get()
    cancel_job(job)
    assert not work_on(job.pk)
    assert Told.calls == []


def test_an_event_that_was_deleted_meanwhile_concerns_nobody() -> None:
    on_event("*")(book)
    send([told(1), told(2)])
    Event.objects.filter(payload__n=1).delete()
    work_on(Job.objects.get().pk)
    assert Told.calls == [("book", 2)]
    assert fresh(Job.objects.get()).status == "succeeded"


def test_a_handler_that_is_gone_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    on_event("*")(book)
    send([told(1)])
    monkeypatch.setattr(events, "_registry", {})
    work_on(Job.objects.get().pk)
    assert (fresh(Job.objects.get()).status, Told.calls) == ("succeeded", [])


def test_a_handler_with_a_long_name_is_told_once_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, handler in ("book", book), ("mail", mail):
        monkeypatch.setattr(handler, "__qualname__", "Handlers" * 60 + name)
        on_event("*")(handler)
    Told.failing = {("mail", 1)}
    send([told(1)])
    work_on(Job.objects.get().pk)
    assert tried_again(Job.objects.get()).status == "retrying"
    assert Told.calls == [("book", 1), ("mail", 1), ("mail", 1)]


def test_many_events_are_read_together_and_told_of_now_and_then() -> None:
    on_event("*")(book)
    send([told(number) for number in range(250)])
    job = Job.objects.get()
    work_on(job.pk)
    progress = [logged.data["done"] for logged in job.events.filter(type="progress").order_by("sequence")]
    assert progress == [100, 200, 250]
    assert fresh(job).execution.output == {"events": 250, "calls": 250}


def test_what_handled_events_cannot_be_replayed() -> None:
    on_event("*")(book)
    actor = make_actor(is_staff=True)
    send([told(1)], actor)
    work_on(Job.objects.get().pk)
    with pytest.raises(Conflict):
        prepare_replay(Execution.objects.get(), actor=actor, correlation_id="c")


def test_a_broken_pattern_of_the_hosts_stores_nothing(settings: Settings) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = ["("]
    with pytest.raises(ImproperlyConfigured):
        send([told(1)])
    assert Event.objects.count() == 0


# -- what is wanted, and how deep it is ------------------------------------------------------------------------------


def test_no_job_is_made_where_nobody_wants_anything_and_the_statements_are_as_many_as_without_a_handler() -> None:
    questions: list[set[str]] = []

    def wanted(tenant_id: str, types: set[str]) -> set[str]:
        questions.append(types)
        return types if tenant_id == "acme" else set()

    with CaptureQueriesContext(connection) as without:
        send([told(n) for n in range(50)])
    on_event("*", wanted=wanted)(book)
    with CaptureQueriesContext(connection) as nobody:
        send([told(n) for n in range(50)])
    assert (Job.objects.count(), len(questions), len(nobody)) == (0, 1, len(without))
    send([told(1)], make_actor(tenant_id="acme"))
    assert work_on(Job.objects.get().pk)
    assert Told.calls == [("book", 1)]


def test_who_wants_something_no_longer_when_it_is_handled_is_not_called() -> None:
    wanting = [True]
    on_event("*", wanted=lambda tenant_id, types: types if wanting else set())(book)
    on_event("*")(mail)
    send([told(1)])
    wanting.clear()
    assert work_on(Job.objects.get().pk)
    assert Told.calls == [("mail", 1)]


def test_events_and_their_handlers_are_as_deep_as_what_they_come_from() -> None:
    on_event("order.paid")(answer)
    with at_depth(2):
        send([told(1)])
    assert depth.get() == 0
    assert work_on(Job.objects.get().pk)
    # What a handler sends is as deep, though a worker's thread has called it.
    assert list(Event.objects.order_by("pk").values_list("type", "depth")) == [("order.paid", 2), ("answered", 2)]


def answer(event: Event) -> None:
    """A handler that sends an event."""
    Told.calls.append(("answer", depth.get()))
    ingest([{"type": "answered", "source": "test"}], actor=make_actor(), correlation_id="c")
