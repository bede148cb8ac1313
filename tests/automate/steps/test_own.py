"""A host's own step: checked with the others, done once here, and known by its key elsewhere."""

from typing import Any

import pytest

from automate.services import WorkflowService
from automate.steps import base, register_step
from tests.automate.making import begin, fresh, make_workflow, outputs, pass_time, step, work
from tests.factories import make_actor
from tests.hosts.shop.models import Organization
from tests.hosts.shop.steps import FoundStep
from tests.upstream import FakeUpstream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked", "known")]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host has registered its step."""
    monkeypatch.setattr(base, "_registry", dict(base._registry))
    register_step(FoundStep)


def found(upstream: FakeUpstream, name: Any) -> dict[str, Any]:
    return step("found", FoundStep.type, settings={"name": name, "registry": f"{upstream.url}/registry"})


def test_its_settings_and_its_output_are_checked_when_a_workflow_is_saved() -> None:
    service = WorkflowService(actor=make_actor(is_staff=True))
    number = step("one", FoundStep.type, settings={"name": {"cel": "1 + 1"}}, then="two")
    wrong = {"steps": [number, step("two", a={"cel": "steps.one.output.id.startsWith('x')"})]}
    errors = {(error.field.removeprefix("definition.steps."), error.code) for error in service.validate(wrong)}
    assert errors == {
        ("one.with.registry", "required"),
        ("one.with.name", "type"),
        ("two.with.values.a", "invalid_expression"),
    }


def test_what_it_does_here_is_done_once_and_elsewhere_known_by_its_key(upstream: FakeUpstream) -> None:
    run = begin(make_workflow(found(upstream, {"path": "$.event.payload.name"})), {"name": "North"})
    work()
    assert outputs(fresh(run)) == {"found": {"id": Organization.objects.get().pk}}
    assert [request.headers["idempotency-key"] for request in upstream.requests] == [f"{run.pk}:found"]


def test_what_it_raises_fails_the_step_and_what_is_worth_it_is_tried_again(upstream: FakeUpstream) -> None:
    blank = begin(make_workflow(found(upstream, {"path": "$.event.payload.name"})), {"name": " "})
    work()
    assert (fresh(blank).error["code"], fresh(blank).error["detail"]) == ("step_failed", "An organization has a name.")
    upstream.stop()
    run = begin(make_workflow(found(upstream, "South")))
    for _attempt in range(3):
        work()
        pass_time(60)
    assert fresh(run).error["code"] == "upstream_unavailable"
    assert [organization.name for organization in Organization.objects.all()] == ["South"]
