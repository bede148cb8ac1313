"""Triggers: what they are made of, and which events start what."""

from typing import Any

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import Settings
from rest_framework.test import APIClient

from automate import handlers
from automate.models import Trigger, WorkflowRun
from automate.services import WorkflowService, starting
from automate.services.starting import start_for, starting_types
from automate.services.triggers import create_trigger, delete_trigger, rotate_token, update_trigger
from automate_api.events import at_depth
from automate_api.exceptions import InvalidInput
from automate_api.models import Actor, Event, Job
from automate_api.services.api_keys import issue_key
from automate_api.services.events import ingest
from tests.automate.making import make_workflow, step, work
from tests.automate.services.starts import flow, fresh, handle, make_hook, make_trigger, runs, send
from tests.factories import make_actor, make_user
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("asked")]


def errors_of(**fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        make_trigger(**fields)
    return {error.field: error.code for error in refused.value.errors}


# -- what a trigger is made of ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"kind": "event"}, {"pattern": "required"}),
        ({"kind": "event", "pattern": "a*b"}, {"pattern": "invalid"}),
        ({"kind": "event", "pattern": "**"}, {"pattern": "invalid"}),
        ({"kind": "event", "pattern": "no\x00"}, {"pattern": "invalid"}),
        ({"kind": "event", "pattern": "x", "schedule": "* * * * *"}, {"schedule": "unexpected"}),
        ({"kind": "event", "pattern": "x", "time_zone": "Europe/Berlin"}, {"time_zone": "unexpected"}),
        ({"kind": "event", "pattern": "x", "signing_secret": "a secret"}, {"signing_secret": "unexpected"}),
        ({"kind": "model", "pattern": "shop.Item"}, {"pattern": "unknown_model"}),
        ({"kind": "schedule"}, {"schedule": "required"}),
        ({"kind": "schedule", "schedule": "0 9 * *"}, {"schedule": "invalid"}),
        ({"kind": "schedule", "schedule": "0 0 30 2 *"}, {"schedule": "invalid"}),
        ({"kind": "schedule", "schedule": "0 0 */40 2 MON#5"}, {"schedule": "invalid"}),
        ({"kind": "schedule", "schedule": "* * * * *", "time_zone": "../../etc/passwd"}, {"time_zone": "invalid"}),
        ({"kind": "hook", "signature": "none"}, {"signature": "invalid_choice"}),
        ({"kind": "hook", "signing_secret": "whsec_c2hvcnQ="}, {"signing_secret": "invalid"}),
        ({"kind": "hook", "signature": "github", "signing_secret": "short"}, {"signing_secret": "invalid"}),
        ({"kind": "carrier pigeon"}, {"kind": "invalid_choice"}),
    ],
)
def test_what_does_not_fit_is_said_of_its_field(fields: dict[str, Any], errors: dict[str, str]) -> None:
    assert errors_of(**fields) == errors
    assert not Trigger.objects.exists()


def test_a_workflow_of_another_tenant_is_one_that_does_not_exist() -> None:
    theirs, actor = flow(tenant_id="globex"), make_actor(is_staff=True)
    gone = flow()
    gone.delete()
    for workflow in (theirs, gone):
        with pytest.raises(InvalidInput) as refused:
            create_trigger(actor=actor, workflow=workflow, name="Start", kind="event", pattern="*")
        assert [(error.field, error.code) for error in refused.value.errors] == [("workflow", "does_not_exist")]


def test_a_trigger_keeps_its_kind_and_its_workflow() -> None:
    trigger = make_trigger()
    for change in ({"kind": "hook"}, {"workflow": flow()}):
        with pytest.raises(InvalidInput):
            update_trigger(trigger, **change)
    changed = update_trigger(trigger, kind="event", workflow=trigger.workflow, pattern="order.*", enabled=False)
    assert (fresh(changed).pattern, fresh(changed).enabled) == ("order.*", False)
    delete_trigger(trigger)
    assert not Trigger.objects.exists()


def test_only_hooks_have_tokens() -> None:
    with pytest.raises(InvalidInput):
        rotate_token(make_trigger())


# -- which events start what -----------------------------------------------------------------------------------------


def test_an_event_starts_what_it_fits_once_each() -> None:
    patterns = ["order.paid", "order.*", "*", "order", "order.paid.*", "orders*", "ORDER.PAID", "order.paid*"]
    triggers = {pattern: make_trigger(pattern=pattern) for pattern in patterns}
    [event_id] = send("order.paid", payload={"n": 1})
    handle()
    started = {run.trigger.pattern: run for run in runs()}
    assert set(started) == {"order.paid", "order.*", "*", "order.paid*"}
    run = started["order.*"]
    assert (run.status, run.event_id, run.depth, run.correlation_id) == ("succeeded", event_id, 1, "c-7")
    assert run.context["payload"] == {"n": 1}
    assert fresh(triggers["*"]).last_fired_at is not None
    event = Event.objects.get(pk=event_id)
    assert start_for(event) == 4
    assert len(runs()) == 4


def test_nothing_is_started_by_what_is_switched_off_or_ends_when_it_is_deleted() -> None:
    make_trigger(enabled=False)
    make_trigger(flow(enabled=False))
    make_trigger().workflow.delete()
    send("order.paid")
    assert not Job.objects.exists()


def test_a_condition_decides_and_its_error_is_told_without_values() -> None:
    workflows = {
        text: flow(condition=text)
        for text in ("event.payload.n > 1", "event.payload.n > 5", "event.payload.absent == 1", "event.payload.n")
    }
    triggers = {text: make_trigger(workflow) for text, workflow in workflows.items()}
    send("order.paid", payload={"n": 2, "card": "4111111111111111"})
    handle()
    assert [run.workflow.condition for run in runs()] == ["event.payload.n > 1"]
    told = {text: fresh(trigger).last_error for text, trigger in triggers.items()}
    assert told["event.payload.n > 1"] == told["event.payload.n > 5"] == ""
    assert "no_such_key" in told["event.payload.absent == 1"]
    assert "not_a_bool" in told["event.payload.n"]
    assert not any("4111" in text or "card" in text for text in told.values())
    send("order.paid", payload={"n": 2, "absent": 1})
    handle()
    assert fresh(triggers["event.payload.absent == 1"]).last_error == ""


def test_a_run_is_of_the_version_whose_condition_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = make_trigger(flow(condition="true"))
    start = starting.start_run

    def change_first(workflow: Any, **about: Any) -> WorkflowRun:
        refusing = {**workflow.definition, "condition": "false"}
        WorkflowService(actor=Actor(user=workflow.owner, tenant_id="default")).update(workflow, definition=refusing)
        return start(workflow, **about)

    monkeypatch.setattr(starting, "start_run", change_first)
    send("order.paid")
    handle()
    assert [run.version.version for run in runs(trigger)] == [1]
    send("order.paid")
    handle()
    assert len(runs(trigger)) == 1


def test_a_condition_sees_the_run_that_it_would_start() -> None:
    trigger = make_trigger(flow(condition="run.depth == 3 && run.version == 1 && run.workflow == 'deep'", slug="deep"))
    with at_depth(2):
        send("order.paid")
    handle()
    assert [run.depth for run in runs(trigger)] == [3]


def test_no_run_begins_for_an_owner_who_may_not_run_it(settings: Settings) -> None:
    owners = {
        "nobody": make_user(is_staff=True),
        "inactive": make_user(is_staff=True, is_active=False),
        "no staff": make_user(),
        "staff": make_user(is_staff=True),
    }
    triggers = {name: make_trigger(flow(owner=owner)) for name, owner in owners.items()}
    owners["nobody"].delete()
    send("order.paid")
    handle()
    assert [run.trigger for run in runs()] == [triggers["staff"]]
    assert {name for name, trigger in triggers.items() if "no owner" in fresh(trigger).last_error} == {
        "nobody",
        "inactive",
        "no staff",
    }
    settings.AUTOMATE_API_TENANT_MEMBERS = f"{__name__}.nobody"
    send("order.paid")
    handle()
    assert len(runs()) == 1


def nobody(tenant_id: str) -> Any:
    """Members of a tenant that everybody has left."""
    return type(make_user()).objects.none()


@pytest.mark.parametrize("error", [RuntimeError, DataError])
def test_a_workflow_that_cannot_be_started_keeps_no_other_from_it(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    broken, sound = make_trigger(), make_trigger()
    start = starting.start_run

    def fail(workflow: Any, **about: Any) -> WorkflowRun:
        run = start(workflow, **about)
        if workflow.pk == broken.workflow_id:
            raise error("the password is hunter2")
        return run

    monkeypatch.setattr(starting, "start_run", fail)
    send("order.paid")
    handle()
    assert [run.trigger_id for run in runs()] == [sound.pk]
    assert fresh(broken).last_error == "The workflow could not be started."


@pytest.mark.django_db(transaction=True)
def test_workflows_that_start_each_other_end_at_the_depth_cap(settings: Settings) -> None:
    settings.AUTOMATE_MAX_DEPTH = 3
    trigger = make_trigger(make_workflow(step("again", "emit", event="order.paid")))
    send("order.paid")
    work()
    assert [(run.depth, run.status) for run in runs(trigger)] == [
        (1, "succeeded"),
        (2, "succeeded"),
        (3, "succeeded"),
        (4, "failed"),
    ]
    assert runs()[-1].error["code"] == "workflow_too_deep"


# -- what others can send --------------------------------------------------------------------------------------------


def client_of(**fields: Any) -> APIClient:
    _key, text = issue_key(tenant_id="default", user=make_user(**fields), name="k", scopes=["*"])
    return APIClient(headers={"Authorization": f"Bearer {text}"})


@pytest.mark.parametrize("source", ["automate:trigger:{pk}", "automate:model:shop.Item", "automate:"])
def test_nobody_sends_events_that_pass_for_the_servers_own(source: str) -> None:
    trigger, _token = make_hook()
    event = {"type": "hook.received", "source": source.format(pk=trigger.pk)}
    fine = {"type": "hook.received", "source": "shop"}
    client = client_of(is_staff=True)
    for body, place in ((event, "source"), ([fine, event], "1.source")):
        answer = client.post("/api/v1/events/", body, format="json")
        assert answer.status_code == 400
        assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(place, "reserved")]
    with pytest.raises(InvalidInput):
        ingest([event], actor=make_actor(), correlation_id="c-1")
    assert not Event.objects.exists()


@pytest.mark.parametrize("source", ["Automate:trigger:{pk}", " automate:trigger:{pk}", "trigger:{pk}"])
def test_what_only_looks_like_one_starts_no_hook(source: str) -> None:
    trigger, _token = make_hook()
    every = make_trigger(pattern="*")
    [event_id] = send("hook.received", source=source.format(pk=trigger.pk))
    handle()
    assert [(run.trigger_id, run.event_id) for run in runs()] == [(every.pk, event_id)]


def test_a_trigger_that_leads_into_another_tenant_starts_nothing() -> None:
    trigger = make_trigger()
    Trigger.objects.update(workflow=flow(tenant_id="globex"))
    event_id = send("order.paid")[0]
    assert start_for(Event.objects.get(pk=event_id)) == 0
    assert runs(trigger) == []


# -- what it costs ---------------------------------------------------------------------------------------------------


def test_events_that_nobody_wants_are_found_out_by_two_queries_and_make_no_job() -> None:
    make_trigger(pattern="stock.*")
    with CaptureQueriesContext(connection) as queries:
        assert handlers.wanted("default", {"order.paid", "order.sent"}) == set()
    assert len(queries) == 2
    assert handlers.wanted("default", {"order.paid", "stock.low"}) == {"stock.low"}
    assert handlers.wanted("globex", {"stock.low"}) == set()
    send(*[f"{'x' * 150}.{n}" for n in range(1000)])
    assert not Job.objects.exists()


def test_many_triggers_are_read_in_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_BATCH", 3)
    workflow = flow(condition="event.payload.n == 1")
    triggers = [make_trigger(workflow) for _ in range(7)]
    send("order.paid", payload={"n": 1})
    handle()
    assert [run.trigger_id for run in runs()] == [trigger.pk for trigger in triggers]
    event = Event.objects.create(
        tenant_id="default", type="order.paid", source="s", payload={"n": 2}, occurred_at=triggers[0].created_at
    )
    with CaptureQueriesContext(connection) as queries:
        assert start_for(event) == 0
    assert len(queries) == 3


# -- tenants ---------------------------------------------------------------------------------------------------------

_WORDS = st.sampled_from(["order", "order.paid", "order.paid.late", "o", "stock", "hook.received", "model.changed"])
_PATTERNS = st.one_of(_WORDS, st.builds("{}*".format, _WORDS), st.just("*"))
_TENANTS = st.sampled_from(["acme", "globex", "ACME", "acme%"])


class TenantsTest(TestCase):
    """Whatever triggers and events there are, an event starts workflows of its own tenant, and just those it fits."""

    @hypothesis_settings(max_examples=25, deadline=None)
    @given(
        triggers=st.lists(st.tuples(_TENANTS, _PATTERNS), max_size=6),
        events=st.lists(st.tuples(_TENANTS, _WORDS), min_size=1, max_size=4),
    )
    def test_events_start_what_they_fit_in_their_tenant(
        self, triggers: list[tuple[str, str]], events: list[tuple[str, str]]
    ) -> None:
        owner = make_user(is_staff=True)
        tenants = {tenant for tenant, _pattern in triggers}
        flows = {tenant: flow(tenant_id=tenant, owner=owner, slug="f") for tenant in tenants}
        made = [(tenant, make_trigger(flows[tenant], pattern=pattern, kind="event")) for tenant, pattern in triggers]
        for tenant, name in events:
            [(event_id, _status)] = ingest(
                [{"type": name, "source": "s"}], actor=Actor(user=owner, tenant_id=tenant), correlation_id="c"
            )
            event = Event.objects.get(pk=event_id)
            start_for(event)
            fitting = {
                trigger.pk
                for of, trigger in made
                if of == tenant
                and (trigger.pattern == name or (trigger.pattern[-1] == "*" and name.startswith(trigger.pattern[:-1])))
            }
            started = WorkflowRun.objects.filter(event=event)
            assert {run.trigger_id for run in started} == fitting
            assert {run.tenant_id for run in started} <= {tenant}
            assert bool(fitting) <= (starting_types(tenant, {name}) == {name})
