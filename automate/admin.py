"""Workflows in Django's admin, which alone looks across tenants. They are made and defined through the API.

There a definition is checked and belongs to whoever has written it; here one looks, switches off, and sets secrets.
"""

import json
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from automate.models import StepRun, Trigger, Workflow, WorkflowRun, WorkflowVersion
from automate.services.runs import cancel_run
from automate.services.secrets import secret_names, set_secrets
from automate.services.triggers import update_trigger
from automate.services.workflows import WorkflowService
from automate_api.admin import ReadOnlyAdmin, VersionAdmin, cancel_each
from automate_api.exceptions import AutomateError, InvalidInput
from automate_api.models import Actor

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _WorkflowForm = forms.ModelForm[Workflow]
else:
    # Only the stubs know these as generic.
    _ModelAdmin, _WorkflowForm = admin.ModelAdmin, forms.ModelForm


class WorkflowForm(_WorkflowForm):
    """A workflow whose secrets can be written and not read."""

    new_secrets = forms.JSONField(
        label=_("New secrets"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_('As JSON: {"name": "secret"}. They are merged into those there are; null takes one away.'),
    )

    class Meta:
        model = Workflow
        fields = ("name", "description", "enabled", "owner")

    def clean_new_secrets(self) -> Any:
        """Put them into the row, which is not saved yet; refuse what does not fit."""
        changes = self.cleaned_data["new_secrets"]
        if changes in (None, ""):
            return None
        if not isinstance(changes, dict):
            raise forms.ValidationError(_("This must be a JSON object."))
        try:
            set_secrets(self.instance, changes)
        except InvalidInput as exc:
            raise forms.ValidationError([error.detail for error in exc.errors]) from exc
        except AutomateError as exc:
            raise forms.ValidationError(exc.detail) from exc
        return None


@admin.register(Workflow)
class WorkflowAdmin(_ModelAdmin):
    """Workflows; the names of their secrets are shown, the secrets never."""

    form = WorkflowForm
    list_display = ("name", "tenant_id", "slug", "enabled", "owner", "version", "updated_at")
    list_filter: ClassVar[Any] = ("enabled", "tenant_id")
    list_select_related = ("owner",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "slug", "description")
    raw_id_fields = ("owner",)
    readonly_fields = (
        "tenant_id", "slug", "definition_text", "version", "names_of_secrets", "created_at", "updated_at"
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Of a list the columns that it shows: definitions are long."""
        rows = super().get_queryset(request)
        is_list = str(getattr(request.resolver_match, "url_name", "")).endswith("_changelist")
        return rows.defer("definition", "condition", "secrets") if is_list else rows

    @admin.display(description=_("definition"))
    def definition_text(self, workflow: Workflow) -> str:
        """The definition, to be read."""
        return format_html("<pre>{}</pre>", json.dumps(workflow.definition, indent=2, ensure_ascii=False))

    @admin.display(description=_("secrets"))
    def names_of_secrets(self, workflow: Workflow) -> str:
        """The names of its secrets."""
        names = secret_names(workflow)
        return ", ".join(names) if names is not None else str(_("No key of this host decrypts them."))

    def delete_model(self, request: HttpRequest, obj: Workflow) -> None:
        """Cancel what runs of it, and delete it."""
        WorkflowService(actor=Actor(user=request.user, tenant_id=obj.tenant_id)).delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Workflow]) -> None:
        """The same of each."""
        for workflow in queryset:
            self.delete_model(request, workflow)


@admin.register(WorkflowVersion)
class WorkflowVersionAdmin(VersionAdmin):
    """Workflows as they were."""

    list_display = ("workflow", "version", "user", "created_at")
    list_select_related = ("workflow", "user")
    search_fields = ("workflow__slug",)


@admin.register(Trigger)
class TriggerAdmin(ReadOnlyAdmin):
    """Triggers without tokens and secrets; they are made and changed through the API."""

    list_display = (
        "name", "tenant_id", "workflow", "kind", "enabled", "pattern", "schedule", "next_due", "last_fired_at"
    )  # fmt: skip
    list_filter = ("kind", "enabled", "tenant_id")
    list_select_related = ("workflow",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "=pattern", "workflow__slug")
    exclude = ("token_hash", "signing_secret")
    readonly_fields = ("next_due", "last_fired_at", "last_error", "created_at", "updated_at")
    actions = ("switch_on", "switch_off")

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Whoever may change triggers may switch them, though nothing else of them can be changed here."""
        return super(ReadOnlyAdmin, self).has_change_permission(request)

    @admin.action(description=_("Switch on"), permissions=["switch"])
    def switch_on(self, request: HttpRequest, triggers: QuerySet[Trigger]) -> None:
        """Switch the chosen triggers on; schedules go on from now."""
        self._switch(request, triggers, enabled=True)

    @admin.action(description=_("Switch off"), permissions=["switch"])
    def switch_off(self, request: HttpRequest, triggers: QuerySet[Trigger]) -> None:
        """Switch the chosen triggers off."""
        self._switch(request, triggers, enabled=False)

    def _switch(self, request: HttpRequest, triggers: QuerySet[Trigger], *, enabled: bool) -> None:
        for trigger in triggers:
            try:
                update_trigger(trigger, enabled=enabled)
            except AutomateError as exc:
                self.message_user(request, f"{trigger}: {exc.detail}", messages.ERROR)


@admin.register(WorkflowRun)
class WorkflowRunAdmin(ReadOnlyAdmin):
    """Runs of workflows."""

    list_display = ("id", "tenant_id", "workflow", "status", "trigger", "user", "depth", "created_at", "steps")
    list_filter = ("status", "tenant_id")
    list_select_related = ("workflow", "trigger", "user")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=id", "=correlation_id", "workflow__slug")
    date_hierarchy = "created_at"
    raw_id_fields = ("event", "execution", "replay_of")
    readonly_fields = ("steps",)
    actions = ("cancel",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the definitions of the workflows, which nobody looks at here."""
        return super().get_queryset(request).defer("workflow__definition", "workflow__secrets")

    @admin.display(description=_("steps"))
    def steps(self, run: WorkflowRun) -> str:
        """The way to its steps."""
        address = reverse(f"{self.admin_site.name}:automate_steprun_changelist")
        return format_html('<a href="{}?run__id__exact={}">{}</a>', address, run.pk, _("Steps"))

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whoever may change runs may cancel them, though nothing else of them can be changed here."""
        return super(ReadOnlyAdmin, self).has_change_permission(request)

    @admin.action(description=_("Cancel"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, runs: QuerySet[WorkflowRun]) -> None:
        """Cancel the chosen runs."""
        cancelled, ended = cancel_each(runs, cancel_run)
        if cancelled:
            told = ngettext("%d run was cancelled.", "%d runs were cancelled.", cancelled) % cancelled
            self.message_user(request, told, messages.SUCCESS)
        if ended:
            told = ngettext("%d run had ended already.", "%d runs had ended already.", ended) % ended
            self.message_user(request, told, messages.WARNING)


@admin.register(StepRun)
class StepRunAdmin(ReadOnlyAdmin):
    """Steps of runs, each run's in their order."""

    list_display = ("run", "path", "type", "status", "tries", "user", "created_at", "finished_at")
    list_display_links = ("path",)
    list_filter = ("status", "type")
    list_select_related = ("run", "user")
    list_per_page = 200
    show_full_result_count = False
    search_fields = ("=run__id", "=name")
    ordering = ("-run", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without what the run saw and gave, which nobody looks at here."""
        return super().get_queryset(request).defer("run__context", "run__output", "run__error")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Also of one run."""
        return lookup == "run__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]
