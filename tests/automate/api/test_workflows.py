"""Workflows, their runs, triggers and rules over HTTP, beside what the walk proves of every route."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from automate.api.viewsets import WorkflowViewSet
from automate.models import StepRun, Trigger, Workflow, WorkflowRun, WorkflowVersion
from automate.services import WorkflowService
from automate_api.models import IdempotencyKey
from tests.automate.making import begin, make_workflow, step
from tests.factories import make_user
from tests.hosts.shop.people import with_key

pytestmark = pytest.mark.django_db

ROOT = "/api/v1"
DEFINITION = {"steps": [step("note", a=1)]}


class CountingService(WorkflowService):
    """A host's: every name is in capitals."""

    def create(self, **fields: Any) -> Workflow:  # type: ignore[override]  # secrets are among the fields
        return super().create(**{**fields, "name": fields["name"].upper()})


class OwnWorkflowViewSet(WorkflowViewSet):
    """A host's, mounted by itself."""

    service_class = CountingService


router = SimpleRouter()
router.register("own", OwnWorkflowViewSet, basename="own")
urlpatterns = router.urls


@pytest.fixture
def staff() -> APIClient:
    return with_key(is_staff=True)


def post(client: APIClient, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(f"{ROOT}/{path}", body, format="json", headers=headers)


def make_steps(run: WorkflowRun, count: int) -> None:
    """As many iterations of a step as a for-each has made."""
    rows = (StepRun(run=run, scope=f"each.{number}", name="ask", type="set", output=number) for number in range(count))
    StepRun.objects.bulk_create(rows)


# -- workflows -------------------------------------------------------------------------------------------------------


def test_a_workflow_is_made_changed_and_kept_at_each_version(staff: APIClient) -> None:
    made = post(staff, "workflows/", {"name": "Flow", "definition": DEFINITION, "secrets": {"shop": "sk-1"}})
    assert (made.status_code, made.json()["slug"], made.json()["secret_names"]) == (201, "flow", ["shop"])
    path = f"{ROOT}/workflows/{made.json()['id']}/"
    changed = staff.patch(path, {"definition": {"steps": [step("note", a=2)]}}, format="json")
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    versions = staff.get(f"{path}versions/").json()["results"]
    assert [version["version"] for version in versions] == [2, 1]
    assert staff.get(f"{path}versions/1/").json()["definition"] == DEFINITION
    assert [staff.get(f"{path}versions/{key}/").status_code for key in ("3", "01", "x", "9" * 30)] == [404] * 4
    assert "sk-1" not in staff.get(path).content.decode() + json.dumps(versions)
    # PUT replaces what it names; secrets are merged, and left alone where they are not named.
    replaced = staff.put(path, {"name": "Flow", "definition": DEFINITION}, format="json")
    assert (replaced.json()["version"], replaced.json()["secret_names"]) == (3, ["shop"])


def test_a_fault_of_a_definition_names_the_step_whether_it_is_saved_or_only_looked_at(staff: APIClient) -> None:
    wrong = {"steps": [step("ask", "endpoint", endpoint="absent", input="x")]}
    workflow = make_workflow(step("note"))
    told = {"field": "definition.steps.ask.with.endpoint", "code": "does_not_exist"}
    refused = post(staff, "workflows/", {"name": "Flow", "definition": wrong}).json()["errors"]
    looked = [
        post(staff, path, {"definition": wrong})
        for path in ("workflows/validate/", f"workflows/{workflow.pk}/validate/")
    ]
    for answer in looked:
        assert (answer.status_code, answer.json()["valid"]) == (200, False)
    for errors in (refused, *(answer.json()["errors"] for answer in looked)):
        assert [{name: error[name] for name in told} for error in errors] == [told]
    assert post(staff, f"workflows/{workflow.pk}/validate/").json() == {"valid": True, "errors": []}
    assert post(staff, "workflows/validate/", {"definition": None}).json()["valid"] is False


def test_a_run_is_begun_where_its_location_says(staff: APIClient) -> None:
    workflow = make_workflow(step("note", a=1), output={"cel": "event.payload.total"})
    begun = post(staff, f"workflows/{workflow.pk}/run/", {"input": {"total": 7}}, **{"X-Correlation-ID": "order-7"})
    assert (begun.status_code, begun.json()["correlation_id"]) == (202, "order-7")
    shown = staff.get(begun["Location"]).json()
    assert (shown["status"], shown["output"], shown["version"]) == ("succeeded", 7, 1)
    assert [(one["path"], one["output"]) for one in shown["steps"]] == [("note", {"a": 1})]
    assert shown["steps_count"] == 1


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_host_has_a_service_of_its_own_and_routes_of_its_own(staff: APIClient) -> None:
    made = staff.post("/own/", {"name": "Flow", "definition": DEFINITION}, format="json")
    assert made.json()["name"] == "FLOW"
    begun = staff.post(f"/own/{made.json()['id']}/run/", {}, format="json")
    # There is no route of runs to lead to.
    assert (begun.status_code, "Location" in begun.headers) == (202, False)
    document = staff.get(f"/own/{made.json()['id']}/export/").json()
    assert staff.post("/own/import/", {**document, "slug": "other"}, format="json").json()["name"] == "FLOW"


@pytest.mark.parametrize("name", ["definition", "document"])
def test_the_schemas_are_published_as_such(staff: APIClient, name: str) -> None:
    path = f"{ROOT}/workflows/schemas/{name}/"
    answers = [
        staff.get(path, headers={"Accept": form}) for form in ("*/*", "application/schema+json", "application/json")
    ]
    assert [answer["Content-Type"] for answer in answers] == [
        "application/schema+json",
        "application/schema+json",
        "application/json",
    ]
    assert answers[0].json()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert staff.get(f"{ROOT}/workflows/schemas/other/").status_code == 404


def test_a_workflow_comes_out_and_in_again(staff: APIClient) -> None:
    workflow = make_workflow(step("note"), slug="flow")
    document = staff.get(f"{ROOT}/workflows/{workflow.pk}/export/").json()
    assert post(staff, "workflows/import/", document).status_code == 409
    made = post(staff, "workflows/import/", {**document, "slug": "other"})
    assert (made.status_code, made.json()["enabled"], made.json()["slug"]) == (201, False, "other")
    refused = post(
        staff, "workflows/import/", {**document, "slug": "third", "triggers": [{"name": "x", "kind": "event"}]}
    )
    assert [error["field"] for error in refused.json()["errors"]] == ["triggers.0.pattern"]
    assert not Workflow.objects.filter(slug="third").exists()


# -- lists -----------------------------------------------------------------------------------------------------------


def make_versions(count: int) -> str:
    workflow = make_workflow(step("note"))
    rows = (WorkflowVersion(workflow=workflow, version=number + 1, definition={}) for number in range(1, count))
    WorkflowVersion.objects.bulk_create(rows)
    return f"workflows/{workflow.pk}/versions/"


def make_workflows(count: int) -> str:
    for _number in range(count):
        make_workflow(step("note"), secrets=json.dumps({"shop": "sk"}))
    return "workflows/"


def make_runs(count: int) -> str:
    workflow = make_workflow(step("note"))
    for _number in range(count):
        begin(workflow)
    return "workflow-runs/"


def make_many_steps(count: int) -> str:
    run = begin(make_workflow(step("note")))
    run.steps.all().delete()
    make_steps(run, count)
    return f"workflow-runs/{run.pk}/steps/"


def make_triggers(count: int) -> str:
    workflow = make_workflow(step("note"))
    rows = (Trigger(tenant_id="default", workflow=workflow, name="x", kind="event", pattern="x") for _ in range(count))
    Trigger.objects.bulk_create(rows)
    return "triggers/"


@pytest.mark.parametrize(
    ("make", "most"),
    # The key, the parent where there is one, and the rows.
    [(make_workflows, 2), (make_runs, 2), (make_triggers, 2), (make_versions, 3), (make_many_steps, 3)],
)
def test_a_list_costs_as_many_queries_for_20_rows_as_for_one(make: Callable[[int], str], most: int) -> None:
    client = with_key(is_staff=True)
    # The first use of a key is noted.
    client.get(f"{ROOT}/models/")
    for rows in (1, 20):
        for model in (Trigger, WorkflowRun, Workflow):
            model.objects.all().delete()
        path = make(rows)
        with CaptureQueriesContext(connection) as queries:
            shown = client.get(f"{ROOT}/{path}")
        assert len(shown.json()["results"]) == rows
        assert len(queries) == most, [query["sql"] for query in queries]


def test_a_run_is_shown_without_the_steps_of_iterations_which_are_in_pages(staff: APIClient) -> None:
    run = begin(make_workflow(step("note")))
    make_steps(run, 1_000)
    path = f"{ROOT}/workflow-runs/{run.pk}/"
    with CaptureQueriesContext(connection) as queries:
        shown = staff.get(path).json()
    assert ([one["path"] for one in shown["steps"]], shown["steps_count"]) == (["note"], 1_001)
    assert len(queries) <= 5
    page, seen = f"{path}steps/?page_size=200", []
    while page:
        answer = staff.get(page).json()
        seen += [one["path"] for one in answer["results"]]
        page = answer["next"]
    assert seen == ["note", *(f"each.{number}.ask" for number in range(1_000))]
    found = staff.get(f"{path}steps/?scope=each.7&status=running").json()["results"]
    assert [one["path"] for one in found] == ["each.7.ask"]
    assert staff.get(f"{path}steps/each.7.ask/").json()["output"] == 7
    assert staff.get(f"{path}steps/?nonsense=1").status_code == 400


# -- runs ------------------------------------------------------------------------------------------------------------


def test_a_member_sees_its_run_and_not_what_its_steps_took_and_gave(staff: APIClient) -> None:
    ann = make_user()
    run = begin(make_workflow(step("note", key="of the owner"), output={"value": "for all"}))
    WorkflowRun.objects.update(user=ann)
    client, path = with_key(user=ann), f"{ROOT}/workflow-runs/{run.pk}/"
    shown = client.get(path)
    assert (shown.status_code, shown.json()["output"]) == (200, "for all")
    assert "of the owner" not in shown.content.decode()
    assert "of the owner" not in client.get(f"{path}steps/").content.decode()
    assert "of the owner" not in client.get(f"{path}steps/note/").content.decode()
    assert "of the owner" in staff.get(path).content.decode()
    refused = [post(client, f"workflow-runs/{run.pk}/{verb}/") for verb in ("cancel", "replay")]
    assert [answer.status_code for answer in refused] == [403, 403]


@pytest.mark.parametrize(("verb", "status"), [("approve", "succeeded"), ("reject", "failed")])
def test_a_step_that_waits_is_decided_once(staff: APIClient, verb: str, status: str) -> None:
    run = begin(make_workflow(step("ask", "approval")))
    path = f"workflow-runs/{run.pk}/steps/ask/"
    decided = post(staff, f"{path}{verb}/", {"comment": "Since it is so."})
    assert (decided.status_code, decided.json()["status"], decided.json()["user"]) == (
        200,
        status,
        StepRun.objects.get().user_id,
    )
    assert staff.get(f"{ROOT}/workflow-runs/{run.pk}/").json()["status"] == status
    for other in ("approve", "reject"):
        assert post(staff, f"{path}{other}/", {}).status_code == 409


def test_a_run_is_cancelled_once_and_replayed_from_a_step(staff: APIClient) -> None:
    run = begin(make_workflow(step("first", a=1, then="ask"), step("ask", "approval")))
    path = f"workflow-runs/{run.pk}/"
    assert post(staff, f"{path}replay/", {}).status_code == 409
    assert post(staff, f"{path}cancel/").json()["status"] == "cancelled"
    assert post(staff, f"{path}cancel/").status_code == 409
    again = post(staff, f"{path}replay/", {"from_step": "ask"})
    assert (again.status_code, again.json()["replay_of"]) == (202, str(run.pk))
    assert staff.get(again["Location"]).json()["status"] == "waiting"
    refused = post(staff, f"{path}replay/", {"from_step": "absent"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "from_step")


# -- triggers --------------------------------------------------------------------------------------------------------


def test_what_a_hook_is_called_with_is_shown_once_and_never_stored_in_clear(staff: APIClient) -> None:
    workflow = make_workflow(step("note"))
    body, key = {"workflow": workflow.pk, "name": "Hook", "kind": "hook"}, {"Idempotency-Key": "one"}
    made, again = (post(staff, "triggers/", body, **key) for _ in range(2))
    token, secret = made.json()["token"], made.json()["signing_secret"]
    assert (made.status_code, made["Cache-Control"], again.headers["Idempotent-Replayed"]) == (201, "no-store", "true")
    assert again.json() == made.json()
    path = f"triggers/{made.json()['id']}/"
    assert not {token, secret} & set(staff.get(f"{ROOT}/{path}").json().values())
    assert staff.get(f"{ROOT}/{path}").json()["has_signing_secret"] is True
    rotated, renewed = post(staff, f"{path}rotate/").json(), post(staff, f"{path}rotate-secret/").json()
    assert rotated["token"] not in (None, token)
    assert (rotated["signing_secret"], renewed["token"]) == (None, None)
    assert renewed["signing_secret"] not in (None, secret)
    rows = [*Trigger.objects.values(), *IdempotencyKey.objects.values()]
    stored = json.dumps(
        [{name: getattr(value, "ciphertext", str(value)) for name, value in row.items()} for row in rows]
    )
    for text in (token, secret, rotated["token"], renewed["signing_secret"]):
        assert text not in stored


def test_only_a_hook_has_a_token_and_a_secret_that_is_given_is_not_shown(staff: APIClient) -> None:
    workflow = make_workflow(step("note"))
    told = post(staff, "triggers/", {"workflow": workflow.pk, "name": "x", "kind": "event", "pattern": "a.*"})
    assert (told.json()["token"], told.json()["signing_secret"]) == (None, None)
    path = f"triggers/{told.json()['id']}/"
    assert [post(staff, f"{path}{verb}/").status_code for verb in ("rotate", "rotate-secret")] == [400, 400]
    given = {"workflow": workflow.pk, "name": "x", "kind": "hook", "signature": "github", "signing_secret": "g" * 20}
    assert post(staff, "triggers/", given).json()["signing_secret"] is None
    changed = staff.patch(f"{ROOT}/{path}", {"kind": "schedule"}, format="json")
    assert (changed.status_code, changed.json()["errors"][0]["field"]) == (400, "kind")


# -- rules -----------------------------------------------------------------------------------------------------------


def test_a_rule_is_explained_and_one_that_cannot_be_read_is_told_by_line_and_column(staff: APIClient) -> None:
    asked = {"rule": "event.total > 100 && event.paid", "context": {"event": {"total": 7, "paid": True}}}
    found = post(staff, "rules/explain/", asked).json()
    assert (found["value"], found["tree"]["text"]) == (False, asked["rule"])
    assert "event.total" in found["reason"]
    failed = post(staff, "rules/explain/", {"rule": "event.absent", "context": {"event": {}}}).json()
    assert "value" not in failed
    assert failed["error"]["kind"] == "no_such_key"
    refused = post(staff, "rules/explain/", {"rule": "1 +\n + ("})
    assert refused.status_code == 400
    assert (refused.json()["errors"][0]["field"], refused.json()["line"]) == ("rule", 2)
    assert isinstance(refused.json()["column"], int)
    assert post(with_key(), "rules/explain/", asked).status_code == 403
