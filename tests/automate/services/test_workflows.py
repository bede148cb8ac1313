"""Workflows as the service makes, changes, runs, deletes and carries them."""

import json
from typing import Any

import pytest

from automate.models import Trigger, Workflow, WorkflowRun, WorkflowVersion
from automate.services import WorkflowService
from automate.services.secrets import MOST_SECRETS, secret_names, secrets_of
from automate.services.triggers import create_trigger
from automate_api.exceptions import AutomateError, Conflict, InvalidInput, NotFound
from automate_api.models import Actor
from tests.automate.making import begin, fresh, make_workflow, step
from tests.automate_api.services.together import together
from tests.factories import make_actor, make_endpoint

pytestmark = pytest.mark.django_db

NOTE = {"steps": [step("note", a=1)]}


@pytest.fixture
def staff() -> Actor:
    return make_actor(is_staff=True)


@pytest.fixture
def service(staff: Actor) -> WorkflowService:
    return WorkflowService(actor=staff)


def refused(error: pytest.ExceptionInfo[InvalidInput]) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in error.value.errors]


def ask(endpoint: Any, name: str = "ask") -> dict[str, Any]:
    return step(name, "endpoint", endpoint=endpoint, input="x")


# -- versions and owners ---------------------------------------------------------------------------------------------


def test_only_another_definition_is_another_version(service: WorkflowService) -> None:
    workflow = service.create(name="Flow", definition=NOTE)
    service.update(workflow, name="Renamed", description="x", enabled=False, definition={"steps": [step("note", a=1)]})
    assert Workflow.objects.get().version == 1
    # To Python, 1 and true are equal.
    changed = service.update(workflow, definition={"steps": [step("note", a=True)]})
    kept = WorkflowVersion.objects.order_by("version").values_list("version", "definition")
    assert changed.version == 2
    assert json.dumps([values for _number, values in kept]) == json.dumps([NOTE, {"steps": [step("note", a=True)]}])


def test_the_condition_is_kept_where_events_look_for_it(service: WorkflowService) -> None:
    workflow = service.create(name="Flow", definition={**NOTE, "condition": "event.payload.a > 1"})
    assert workflow.condition == "event.payload.a > 1"
    assert service.update(workflow, definition=NOTE).condition == ""


def test_a_workflow_belongs_to_who_changed_its_definition_last(service: WorkflowService, staff: Actor) -> None:
    workflow, other = service.create(name="Flow", definition=NOTE), make_actor(is_staff=True)
    theirs = WorkflowService(actor=other)
    assert theirs.update(workflow, name="Theirs", definition=NOTE).owner == staff.user
    changed = theirs.update(workflow, definition={"steps": [step("note", a=2)]})
    assert (changed.owner, changed.versions.first().user) == (other.user, other.user)


def test_whoever_writes_the_definition_of_one_without_an_owner_owns_it(service: WorkflowService, staff: Actor) -> None:
    workflow = service.create(name="Flow", definition=NOTE)
    Workflow.objects.update(owner=None)
    assert service.update(workflow, name="Still nobody's").owner is None
    adopted = service.update(workflow, definition=NOTE)
    assert (adopted.owner, adopted.version) == (staff.user, 1)


@pytest.mark.django_db(transaction=True)
def test_changes_at_the_same_moment_are_versions_one_after_the_other(service: WorkflowService) -> None:
    workflow = service.create(name="Flow", definition=NOTE)
    found = together(*(lambda a=a: service.update(workflow, definition={"steps": [step("note", a=a)]}) for a in "xyz"))
    assert [type(one) for one in found] == [Workflow] * 3
    versions = dict(WorkflowVersion.objects.values_list("version", "definition"))
    assert sorted(versions) == [1, 2, 3, 4]
    current = Workflow.objects.get()
    assert (current.version, current.definition) == (4, versions[4])


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_each_has_a_slug_of_its_own(service: WorkflowService) -> None:
    together(*(lambda: service.create(name="Flow", definition=NOTE) for _ in range(3)))
    assert Workflow.objects.values("slug").distinct().count() == 3


def test_a_slug_of_digits_is_none(service: WorkflowService) -> None:
    with pytest.raises(InvalidInput) as error:
        service.create(name="Flow", slug="4711", definition=NOTE)
    assert refused(error) == [("slug", "invalid")]


# -- what a definition may name --------------------------------------------------------------------------------------


def test_an_endpoint_that_is_not_there_is_told_by_its_step_also_in_a_body(service: WorkflowService) -> None:
    make_endpoint(slug="mine")
    make_endpoint(slug="theirs", tenant_id="globex")
    inner = step(
        "each", "for_each", items={"value": [1]}, steps=[{**ask("mine"), "next": ["other"]}, ask("absent", "other")]
    )
    for key in ("theirs", "absent", "9" * 18):
        assert [error.as_dict() for error in service.validate({"steps": [ask(key)]})] == [
            {
                "field": "definition.steps.ask.with.endpoint",
                "code": "does_not_exist",
                "detail": "There is no such object.",
            }
        ]
    assert [error.field for error in service.validate({"steps": [inner]})] == [
        "definition.steps.each.with.steps.other.with.endpoint"
    ]
    with pytest.raises(InvalidInput):
        service.create(name="Flow", definition={"steps": [ask("theirs")]})
    assert service.validate({"steps": [ask("mine")]}) == []


def test_what_is_no_definition_is_refused_and_nothing_is_kept(service: WorkflowService) -> None:
    for wrong in (None, [], "x", {}, {"steps": []}, {"steps": [{"name": "a", "type": "no such type"}]}):
        assert service.validate(wrong), wrong
        with pytest.raises(InvalidInput):
            service.create(name="Flow", definition=wrong)
    assert not Workflow.objects.exists()


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_secrets_are_merged_by_name_and_taken_away_by_null(service: WorkflowService) -> None:
    workflow = service.create(name="Flow", definition=NOTE, secrets={"shop": "sk-1", "bank": "sk-2"})
    stored = Workflow.objects.values_list("secrets", flat=True).get()
    assert "sk-1" not in stored.ciphertext
    changed = service.update(workflow, secrets={"bank": None, "post": "sk-3"})
    assert secrets_of(changed) == {"shop": "sk-1", "post": "sk-3"}
    assert secret_names(Workflow.objects.get()) == ["post", "shop"]
    assert service.update(workflow, name="Other").version == 1
    assert "sk-" not in json.dumps([*WorkflowVersion.objects.values_list("definition", flat=True)])
    assert not service.update(workflow, secrets={"shop": None, "post": None}).secrets


@pytest.mark.parametrize(
    "secrets",
    [
        {"": "x"},
        {"a b": "x"},
        {"a" * 65: "x"},
        {"shop": ""},
        {"shop": "x\r\nSet-Cookie: a=b"},
        {"shop": "ü"},
        {"shop": 1},
        {"shop": "x" * 4_001},
        {f"s{number}": "x" for number in range(MOST_SECRETS + 1)},
    ],
)
def test_a_secret_that_no_header_can_have_is_refused_and_not_repeated(
    service: WorkflowService, secrets: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput) as error:
        service.create(name="Flow", definition=NOTE, secrets=secrets)
    assert all(fault.field.startswith("secrets") for fault in error.value.errors)
    assert "Set-Cookie" not in str(error.value.errors)


def test_secrets_that_no_key_decrypts_are_neither_shown_nor_overwritten(
    service: WorkflowService, settings: Any
) -> None:
    workflow = service.create(name="Flow", definition=NOTE, secrets={"shop": "sk-1"})
    settings.AUTOMATE_API_ENCRYPTION_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    assert secret_names(Workflow.objects.get()) is None
    with pytest.raises(AutomateError, match="not set up"):
        service.update(workflow, secrets={"bank": "sk-2"})


# -- running and deleting --------------------------------------------------------------------------------------------


def test_a_run_sees_its_input_and_who_asked_for_it(service: WorkflowService, staff: Actor) -> None:
    schema = {"type": "object", "required": ["total"]}
    workflow = service.create(name="Flow", definition={**NOTE, "input_schema": schema, "condition": "false"})
    with pytest.raises(InvalidInput) as error:
        service.run(workflow, input={}, correlation_id="c")
    assert [fault.field for fault in error.value.errors] == ["input.total"]
    run = service.run(workflow, input={"total": 1}, correlation_id="c")
    assert (run.user_id, run.context["payload"], run.context["type"]) == (staff.user.pk, {"total": 1}, "workflow.run")


def test_what_is_switched_off_or_has_no_owner_is_not_run(service: WorkflowService) -> None:
    off = service.create(name="Off", definition=NOTE, enabled=False)
    left = service.create(name="Left", definition=NOTE)
    left.owner.is_staff = False
    left.owner.save()
    for workflow in (off, Workflow.objects.get(pk=left.pk)):
        with pytest.raises(Conflict):
            service.run(workflow, input={}, correlation_id="c")
    assert not WorkflowRun.objects.exists()


def test_a_run_is_of_the_version_whose_input_was_checked(service: WorkflowService) -> None:
    read = service.create(name="Flow", definition=NOTE)
    service.update(read, definition={"steps": [step("note", a=2)], "input_schema": {"type": "string"}})
    assert service.run(read, input={}, correlation_id="c").version.version == 1
    service.delete(Workflow.objects.get())
    with pytest.raises(NotFound):
        service.run(read, input={}, correlation_id="c")


@pytest.mark.django_db(transaction=True)
def test_what_runs_of_a_deleted_workflow_is_cancelled_and_stays(service: WorkflowService) -> None:
    workflow = make_workflow(step("ask", "approval"))
    ended, waiting = begin(make_workflow(step("note"))), begin(workflow)
    service.delete(workflow)
    assert not Workflow.objects.filter(pk=workflow.pk).exists()
    assert [fresh(run).status for run in (ended, waiting)] == ["succeeded", "cancelled"]
    assert fresh(waiting).workflow is None
    with pytest.raises(NotFound):
        service.update(workflow, name="Gone")


# -- documents -------------------------------------------------------------------------------------------------------


def test_a_workflow_goes_out_and_comes_in_again(service: WorkflowService, staff: Actor) -> None:
    endpoint = make_endpoint(slug="triage")
    definition = {"condition": "true", "steps": [{**ask(str(endpoint.pk)), "next": ["note"]}, step("note")]}
    workflow = service.create(name="Flow", description="For all.", definition=definition, secrets={"shop": "sk-1"})
    for fields in (
        {"kind": "event", "pattern": "order.*"},
        {"kind": "schedule", "schedule": "0 9 * * 1", "time_zone": "Europe/Berlin", "catch_up": "latest"},
        {"kind": "hook", "signature": "github", "signing_secret": "a-secret-of-the-hook", "enabled": False},
    ):
        create_trigger(actor=staff, workflow=workflow, name=fields["kind"], **fields)
    document = json.loads(json.dumps(service.export(workflow)))
    assert document["definition"]["steps"][0]["with"]["endpoint"] == "triage"
    assert not any(text in json.dumps(document) for text in ("sk-1", "a-secret-of-the-hook", "token"))
    service.delete(workflow)
    made = service.import_document(document)
    assert service.export(made) == document
    assert (made.enabled, made.owner, secret_names(made)) == (False, staff.user, [])
    assert Trigger.objects.filter(workflow=made).count() == 3


PAID = {"name": "Paid", "kind": "event", "pattern": "order.paid"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": "automate.workflow/2"}, "format"),
        ({"tenant_id": "globex"}, "tenant_id"),
        ({"name": "x" * 201}, "name"),
        ({"definition": {"steps": [ask("absent")]}}, "definition.steps.ask.with.endpoint"),
        ({"triggers": [PAID, {"name": "b", "kind": "hook", "id": 1}]}, "triggers"),
        ({"triggers": [PAID, {"name": "b", "kind": "event"}]}, "triggers.1.pattern"),
        ({"triggers": [{"name": "a", "kind": "schedule", "schedule": "never"}]}, "triggers.0.schedule"),
        ({"triggers": [PAID] * 51}, "triggers"),
    ],
)
def test_a_document_comes_in_whole_or_not_at_all(service: WorkflowService, change: dict[str, Any], field: str) -> None:
    document = {"format": "automate.workflow/1", "name": "Flow", "definition": NOTE, **change}
    with pytest.raises(InvalidInput) as error:
        service.import_document(document)
    assert error.value.errors[0].field.startswith(field)
    assert not Workflow.objects.exists()
    assert not Trigger.objects.exists()


def test_a_document_with_a_slug_that_is_taken_is_a_conflict(service: WorkflowService) -> None:
    workflow = service.create(name="Flow", definition=NOTE)
    with pytest.raises(Conflict):
        service.import_document(service.export(workflow))
    assert Workflow.objects.count() == 1


@pytest.mark.parametrize("document", [None, [], "x", 1, {}, {"format": "automate.workflow/1"}])
def test_what_is_no_document_is_refused(service: WorkflowService, document: Any) -> None:
    with pytest.raises(InvalidInput):
        service.import_document(document)
