"""Workflows in the admin: looked at, switched off, given secrets; not defined there."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from automate.models import StepRun, Trigger, Workflow, WorkflowRun, WorkflowVersion
from automate.services.secrets import secrets_of
from automate.services.triggers import create_trigger
from automate_api.models import Actor
from tests.automate.making import begin, make_workflow, step
from tests.factories import make_user

pytestmark = pytest.mark.django_db

PREFIX = "/admin/automate"
MODELS = (Workflow, WorkflowVersion, Trigger, WorkflowRun, StepRun)


@pytest.fixture
def workflow() -> Workflow:
    return make_workflow(step("ask", "approval"), secrets=json.dumps({"shop": "sk-planted"}))


def make_all(workflow: Workflow, count: int = 1) -> Trigger:
    """A trigger and runs of the workflow, each with its step."""
    actor = Actor(user=workflow.owner, tenant_id=workflow.tenant_id)
    for _number in range(count):
        begin(workflow)
        trigger, _token = create_trigger(
            actor=actor,
            workflow=workflow,
            name="Hook",
            kind="hook",
            signature="github",
            signing_secret="planted-for-a-hook",
        )
    return trigger


def act(client: Client, model: str, action: str, row: Any) -> str:
    data = {"action": action, "_selected_action": str(row.pk)}
    return client.post(f"{PREFIX}/{model}/", data, follow=True).content.decode()


def test_every_row_is_shown_without_secrets_and_none_is_added(admin_client: Client, workflow: Workflow) -> None:
    make_all(workflow)
    for model in MODELS:
        path = f"{PREFIX}/{model._meta.model_name}/"
        pages = [admin_client.get(f"{path}{where}") for where in ("", f"{model.objects.get().pk}/change/")]
        assert [page.status_code for page in pages] == [200, 200]
        assert not any("planted" in page.content.decode() for page in pages)
        assert admin_client.get(f"{path}add/").status_code == 403
    for model in MODELS[1:]:
        path = f"{PREFIX}/{model._meta.model_name}/{model.objects.get().pk}/change/"
        assert admin_client.post(path, {"name": "x"}).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_as_many_queries_for_ten_rows_as_for_one(
    admin_client: Client, workflow: Workflow, model: Any
) -> None:
    path, counts = f"{PREFIX}/{model._meta.model_name}/", []
    for count in (1, 9):
        make_all(workflow, count)
        for _number in range(count):
            make_workflow(step("note"), slug=f"flow-{Workflow.objects.count()}-{count}")
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_secrets_are_written_and_merged_and_a_definition_is_not_changed(
    admin_client: Client, workflow: Workflow
) -> None:
    path = f"{PREFIX}/workflow/{workflow.pk}/change/"
    body = {"name": "Named", "enabled": "on", "owner": workflow.owner_id, "definition": "{}", "tenant_id": "globex"}
    assert admin_client.post(path, {**body, "new_secrets": '{"bank": "sk-2"}'}).status_code == 302
    changed = Workflow.objects.get()
    assert secrets_of(changed) == {"shop": "sk-planted", "bank": "sk-2"}
    assert (changed.name, changed.definition, changed.tenant_id) == ("Named", workflow.definition, "default")
    assert "bank, shop" in admin_client.get(path).content.decode()
    for wrong in ("[]", "{", '{"a b": "x"}', '{"bank": ""}'):
        refused = admin_client.post(path, {**body, "new_secrets": wrong})
        assert refused.status_code == 200, wrong
        assert "bank, shop" in refused.content.decode()
    assert admin_client.post(path, body).status_code == 302
    assert sorted(secrets_of(Workflow.objects.get())) == ["bank", "shop"]


def test_runs_are_cancelled_and_triggers_switched(admin_client: Client, workflow: Workflow) -> None:
    trigger = make_all(workflow)
    run = WorkflowRun.objects.get()
    assert "1 run was cancelled." in act(admin_client, "workflowrun", "cancel", run)
    assert "1 run had ended already." in act(admin_client, "workflowrun", "cancel", run)
    act(admin_client, "trigger", "switch_off", trigger)
    assert not Trigger.objects.get().enabled
    act(admin_client, "trigger", "switch_on", trigger)
    assert Trigger.objects.get().enabled


def test_who_may_only_look_changes_nothing(client: Client, workflow: Workflow) -> None:
    trigger, user = make_all(workflow), make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_workflowrun", "view_trigger"]))
    client.force_login(user)
    act(client, "workflowrun", "cancel", WorkflowRun.objects.get())
    act(client, "trigger", "switch_off", trigger)
    assert (WorkflowRun.objects.get().status, Trigger.objects.get().enabled) == ("waiting", True)


def test_a_workflow_is_deleted_once_nothing_of_it_runs(admin_client: Client, workflow: Workflow) -> None:
    run = begin(workflow)
    admin_client.post(f"{PREFIX}/workflow/{workflow.pk}/delete/", {"post": "yes"})
    assert not Workflow.objects.exists()
    assert WorkflowRun.objects.get(pk=run.pk).status == "cancelled"
