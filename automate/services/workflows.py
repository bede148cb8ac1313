"""Workflows: make, change, delete, run, and carry from one place to another."""

import json
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate.graph.check import check_definition
from automate.models import Workflow, WorkflowRun, WorkflowVersion
from automate.services.endpoints import check_endpoints
from automate.services.owners import owner_of
from automate.services.runs import asked_context, cancel_run, require_input, start_run
from automate.services.secrets import set_secrets
from automate.services.transfer import export_workflow, import_workflow
from automate.steps.base import get_step_type
from automate_api.engine.json_schema import require_valid
from automate_api.exceptions import Conflict, FieldError, PermissionDenied
from automate_api.models import Actor
from automate_api.services.recording import writing
from automate_api.services.rows import assign, create_named, locked, storing, tenant_of
from automate_api.services.secrets import encrypting

_MOST_ATTEMPTS = 10


class WorkflowService:
    """What an actor does with workflows. It knows no HTTP; who may do what is the view's to say.

    A workflow's runs act with the rights of its owner. Its owner is who made it, and then whoever changed its
    definition last: nobody's rights are used by steps that somebody else has put there. Runs of an older version act
    with those of whoever wrote that.

    Override: any method; it becomes a view's `service_class`.

    Args:
        actor: who acts, in which tenant.
    """

    def __init__(self, *, actor: Actor) -> None:
        self.actor = actor

    def create(self, *, secrets: dict[str, str | None] | None = None, **fields: Any) -> Workflow:
        """A new workflow in the actor's tenant, which belongs to the actor.

        Args:
            secrets: strings by their names, for the headers of its HTTP requests.
            fields: its columns; `name` and `definition` are there.

        Raises:
            InvalidInput: a field does not fit; of the definition each error names the step.
            Conflict: the slug is taken.
            NotConfigured: the host has no key to encrypt secrets under, or lacks the extra for rules.
        """
        tenant_id = tenant_of(self.actor)
        require_valid(self.validate(fields.get("definition")))

        def create(columns: dict[str, Any]) -> Workflow:
            workflow = Workflow(tenant_id=tenant_id)
            self._fill(workflow, columns, secrets)
            self._define(workflow)
            workflow.save(force_insert=True)
            self._keep(workflow)
            return workflow

        with encrypting():
            return create_named(Workflow.objects.of_tenant(tenant_id), fields, create)

    def update(self, workflow: Workflow, *, secrets: dict[str, str | None] | None = None, **fields: Any) -> Workflow:
        """Change `fields`. Where the definition is another, the version counts up and the actor becomes the owner.

        Args:
            secrets: as for `create`, merged into those there are; None takes one away.

        Raises:
            InvalidInput, Conflict, NotConfigured: as for `create`.
            NotFound: it has been deleted meanwhile.
        """
        with storing(), encrypting():
            current = locked(workflow)
            is_defined = "definition" in fields
            is_changed = is_defined and not _same(fields["definition"], current.definition)
            if is_changed:
                require_valid(self.validate(fields["definition"]))
            self._fill(current, fields, secrets)
            if is_changed or (is_defined and current.owner_id is None):
                self._define(current)
            current.version += is_changed
            current.save()
            if is_changed:
                self._keep(current)
        return current

    def delete(self, workflow: Workflow) -> None:
        """Delete it with its versions and triggers. What runs of it is cancelled first; its runs stay.

        Raises:
            Conflict: runs begin faster than they can be cancelled.
        """
        Workflow.objects.filter(pk=workflow.pk).update(enabled=False)
        for _attempt in range(_MOST_ATTEMPTS):
            for run in workflow.runs.filter(status__in=WorkflowRun.UNFINISHED):
                self._cancel(run)
            with storing():
                # No run of it begins while its row is locked.
                current = locked(workflow)
                if not current.runs.filter(status__in=WorkflowRun.UNFINISHED).exists():
                    current.delete()
                    return
        raise Conflict(_("Runs of this workflow do not end."))

    def validate(self, definition: Any) -> list[FieldError]:
        """What is wrong with a definition, for the actor as its owner; empty where it may be saved. It never raises
        for anything that JSON can hold.

        Raises:
            NotConfigured: the host lacks the extra for rules, and there is one in the definition.
        """
        return check_definition(definition, types=get_step_type) or check_endpoints(definition, actor=self.actor)

    def run(self, workflow: Workflow, *, input: Any, correlation_id: str) -> WorkflowRun:  # noqa: A002 - the field's name
        """Begin a run of its present version, whose `event.payload` is `input`. The condition is not asked.

        Raises:
            InvalidInput: the input does not fit the definition's `input_schema`.
            Conflict: it is switched off, or has no owner who may run it; or is being deleted.
            NotFound: it has been deleted meanwhile.
        """
        if not workflow.enabled:
            raise Conflict(_("The workflow is switched off."))
        try:
            owner_of(workflow)
        except PermissionDenied as exc:
            # It is not the caller's rights that are wanting.
            raise Conflict(exc.detail) from exc
        require_input(workflow, input)
        with writing(), storing(clash=_("The workflow is being deleted.")):
            return start_run(
                workflow,
                context=asked_context(input, correlation_id=correlation_id),
                user_id=self.actor.user.pk,
                correlation_id=correlation_id,
            )

    def export(self, workflow: Workflow) -> dict[str, Any]:
        """The workflow and its triggers as a document, without anything that is secret or has meaning only here."""
        return export_workflow(workflow, actor=self.actor)

    def import_document(self, document: Any) -> Workflow:
        """The workflow that `document` describes, made anew with its triggers: all of it or nothing.

        It is switched off, and has no secrets: somebody looks at it, sets them, and switches it on.

        Raises:
            InvalidInput: something in the document does not fit.
            Conflict: the slug is taken.
        """
        return import_workflow(document, actor=self.actor, create=self.create)

    def _fill(self, workflow: Workflow, fields: dict[str, Any], secrets: dict[str, str | None] | None) -> None:
        assign(workflow, fields)
        if workflow.slug.isdigit():
            require_valid([FieldError("slug", "invalid", str(_("A slug has at least one letter.")))])
        if secrets:
            set_secrets(workflow, secrets)

    def _define(self, workflow: Workflow) -> None:
        workflow.condition = workflow.definition.get("condition") or ""
        workflow.owner = self.actor.user

    def _keep(self, workflow: Workflow) -> None:
        WorkflowVersion.objects.create(
            workflow=workflow, version=workflow.version, definition=workflow.definition, user=self.actor.user
        )

    def _cancel(self, run: WorkflowRun) -> None:
        try:
            cancel_run(run)
        except Conflict:
            # It has ended by itself meanwhile.
            return


def _same(one: Any, other: Any) -> bool:
    """Whether two definitions are the same JSON: to Python, 1 and true are equal."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
