"""The domain in Django's admin, which alone looks across tenants. What machines write is read-only."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from automate_api.exceptions import Conflict, StorageUnavailable
from automate_api.models import (
    APIKey,
    Artifact,
    Endpoint,
    EndpointGrant,
    EndpointVersion,
    Event,
    Execution,
    IdempotencyKey,
    Job,
    JobEvent,
    JobStep,
    LLMClient,
    LLMClientShare,
    LLMClientVersion,
    PromptLog,
    Provider,
)
from automate_api.services.api_keys import revoke_key
from automate_api.services.artifacts import signed_url
from automate_api.services.jobs import cancel_job
from automate_api.v1.downloads import answer_download
from automate_api.v1.views.domain import is_asgi

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
    _ProviderForm = forms.ModelForm[Provider]
else:
    # Only the stubs know these as generic.
    _ModelAdmin, _TabularInline, _ProviderForm = admin.ModelAdmin, admin.TabularInline, forms.ModelForm


class ReadOnlyAdmin(_ModelAdmin):
    """Rows that are looked at, not made or changed, here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes; the view permission shows the rows."""
        return False


def cancel_each(rows: Iterable[Any], cancel: Callable[[Any], object]) -> tuple[int, int]:
    """Cancel `rows`, one by one; how many were cancelled, and how many had ended already."""
    cancelled = ended = 0
    for row in rows:
        try:
            cancel(row)
        except Conflict:
            ended += 1
        else:
            cancelled += 1
    return cancelled, ended


class ProviderForm(_ProviderForm):
    """A provider whose key can be written and not read."""

    new_api_key = forms.CharField(
        label=_("API key"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave empty to keep the stored key. A changed base URL drops it."),
    )

    class Meta:
        model = Provider
        exclude = ("api_key",)

    def save(self, commit: bool = True) -> Any:
        """Store the new key, or drop the old one where the address has changed."""
        if key := self.cleaned_data["new_api_key"]:
            self.instance.api_key = key
        elif "base_url" in self.changed_data:
            self.instance.api_key = ""
        return super().save(commit)


class TenantAdmin(_ModelAdmin):
    """Rows with a tenant that is chosen when they are made."""

    list_filter: ClassVar[Any] = ("tenant_id",)
    list_per_page = 50
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The counters, and once it is made the tenant: what a row refers to stays in the tenant it was made in."""
        kept = (
            ("version", "created_at", "updated_at", "deleted_at")
            if obj is None
            else ("tenant_id", "version", "created_at", "updated_at", "deleted_at")
        )
        return tuple(name for name in kept if hasattr(self.model, name))


@admin.register(Provider)
class ProviderAdmin(TenantAdmin):
    """Providers; whether a key is stored is shown, the key never."""

    form = ProviderForm
    list_display = ("name", "tenant_id", "slug", "base_url", "default_model", "has_key", "enabled")
    list_filter: ClassVar[Any] = ("enabled", "kind", "tenant_id")
    search_fields = ("name", "slug", "base_url")

    @admin.display(boolean=True, description=_("key"))
    def has_key(self, provider: Provider) -> bool:
        """Whether a key is stored."""
        return provider.has_api_key


class ShareInline(_TabularInline):
    """Who an LLM client is shared with."""

    model = LLMClientShare
    extra = 0
    raw_id_fields = ("user", "group")


@admin.register(LLMClient)
class LLMClientAdmin(TenantAdmin):
    """LLM clients, deleted ones too; to delete one here is for good."""

    list_display = ("name", "tenant_id", "slug", "provider", "model", "owner", "version", "deleted_at")
    list_filter: ClassVar[Any] = (("deleted_at", admin.EmptyFieldListFilter), "tenant_id")
    list_select_related = ("provider", "owner")
    search_fields = ("name", "slug", "model")
    raw_id_fields = ("provider", "owner")
    inlines = (ShareInline,)


class GrantInline(_TabularInline):
    """Who may run an endpoint."""

    model = EndpointGrant
    extra = 0
    raw_id_fields = ("user", "group")


@admin.register(Endpoint)
class EndpointAdmin(TenantAdmin):
    """Endpoints."""

    list_display = ("name", "tenant_id", "slug", "task_types", "llm_client", "enabled", "version")
    list_select_related = ("llm_client",)
    list_filter: ClassVar[Any] = ("enabled", "tenant_id")
    search_fields = ("name", "slug")
    raw_id_fields = ("llm_client",)
    inlines = (GrantInline,)


@admin.register(Execution)
class ExecutionAdmin(ReadOnlyAdmin):
    """Executions."""

    list_display = (
        "id", "tenant_id", "endpoint", "provider", "task_type", "status", "user", "duration_ms", "cost", "created_at"
    )  # fmt: skip
    list_select_related = ("endpoint", "provider", "user")
    list_filter = ("status", "task_type", "tenant_id")
    search_fields = ("=id", "=correlation_id")
    date_hierarchy = "created_at"
    show_full_result_count = False


class StepInline(_TabularInline):
    """What a job's attempts have done once and for all."""

    model = JobStep
    extra = 0
    can_delete = False
    readonly_fields = ("key", "result", "created_at")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs without what their callers sent."""

    list_display = ("id", "tenant_id", "status", "tries", "leased_until", "priority", "user", "created_at", "events")
    list_select_related = ("user",)
    list_filter = ("status", "tenant_id")
    search_fields = ("=id", "=execution__id", "=execution__correlation_id")
    date_hierarchy = "created_at"
    show_full_result_count = False
    exclude = ("request", "token")
    readonly_fields = ("tries", "events")
    inlines = (StepInline,)
    actions = ("cancel",)

    @admin.display(description=_("attempts"), ordering="attempts")
    def tries(self, job: Job) -> str:
        """How often it was tried, of how often it may be."""
        return f"{job.attempts} / {job.max_attempts}"

    @admin.display(description=_("events"))
    def events(self, job: Job) -> str:
        """The way to its log."""
        address = reverse(f"{self.admin_site.name}:automate_api_jobevent_changelist")
        return format_html('<a href="{}?job__id__exact={}">{}</a>', address, job.pk, job.last_event)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whoever may change jobs may cancel them, though nothing else of them can be changed here."""
        return super(ReadOnlyAdmin, self).has_change_permission(request)

    @admin.action(description=_("Cancel"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        """Cancel the chosen jobs: those that wait never start, those that run stop soon."""
        cancelled, ended = cancel_each(jobs, cancel_job)
        if cancelled:
            told = ngettext("%d job was cancelled.", "%d jobs were cancelled.", cancelled) % cancelled
            self.message_user(request, told, messages.SUCCESS)
        if ended:
            told = ngettext("%d job had ended already.", "%d jobs had ended already.", ended) % ended
            self.message_user(request, told, messages.WARNING)


@admin.register(JobEvent)
class JobEventAdmin(ReadOnlyAdmin):
    """The logs of jobs, each in its order."""

    list_display = ("job", "sequence", "type", "data", "created_at")
    list_display_links = ("sequence",)
    list_filter = ("type",)
    search_fields = ("=job__id",)
    ordering = ("-job", "sequence")
    list_per_page = 200
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Also of one job."""
        return lookup == "job__id__exact" or super().lookup_allowed(lookup, value, cast("Any", request))


@admin.register(Artifact)
class ArtifactAdmin(ReadOnlyAdmin):
    """Artifacts; a deleted one's file goes too. Names and content types are what callers say."""

    list_display = ("id", "name", "tenant_id", "kind", "size", "user", "created_at", "expires_at", "link")
    list_select_related = ("user",)
    list_filter = ("kind", "tenant_id")
    search_fields = ("=id", "name", "=sha256")
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = ("link",)

    @admin.display(description=_("file"))
    def link(self, artifact: Artifact) -> str:
        """The way to its file: the API's own answers only in the caller's tenant."""
        address = reverse(f"{self.admin_site.name}:automate_api_artifact_download", args=[artifact.pk])
        return format_html('<a href="{}">{}</a>', address, _("Download"))

    def get_urls(self) -> list[Any]:
        """The admin's, and the file."""
        view = self.admin_site.admin_view(require_safe(self.download))
        return [path("<uuid:pk>/download/", view, name="automate_api_artifact_download"), *super().get_urls()]

    def download(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """The file, as the API sends it, for whoever may see the row here."""
        artifact = self.get_object(request, str(pk))
        if not self.has_view_permission(request, artifact):
            raise PermissionDenied
        if artifact is None:
            raise Http404
        try:
            wanted = cast("Request", request)
            return answer_download(wanted, artifact, is_async=is_asgi(request), redirect_url=signed_url(artifact))
        except StorageUnavailable as exc:
            self.message_user(request, exc.detail, messages.ERROR)
            return redirect(f"{self.admin_site.name}:automate_api_artifact_change", artifact.pk)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events as they were stored."""

    list_display = ("id", "tenant_id", "type", "source", "user", "occurred_at", "created_at")
    list_select_related = ("user",)
    list_filter = ("tenant_id",)
    search_fields = ("=id", "=type", "=source", "=idempotency_key", "=correlation_id")
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False


class VersionAdmin(ReadOnlyAdmin):
    """Rows as they were: what runs are pinned to."""

    list_per_page = 50
    show_full_result_count = False


@admin.register(EndpointVersion)
class EndpointVersionAdmin(VersionAdmin):
    """Endpoints as they were."""

    list_display = ("endpoint", "version", "created_at")
    list_select_related = ("endpoint",)
    search_fields = ("endpoint__slug",)


@admin.register(LLMClientVersion)
class LLMClientVersionAdmin(VersionAdmin):
    """LLM clients as they were."""

    list_display = ("llm_client", "version", "created_at")
    list_select_related = ("llm_client",)
    search_fields = ("llm_client__slug",)


@admin.register(PromptLog)
class PromptLogAdmin(ReadOnlyAdmin):
    """Prompt logs."""

    list_display = ("log_key", "tenant_id", "provider", "model", "user", "created_at")
    list_select_related = ("user",)
    list_filter = ("provider", "tenant_id")
    search_fields = ("log_key",)
    date_hierarchy = "created_at"
    show_full_result_count = False


@admin.register(APIKey)
class APIKeyAdmin(ReadOnlyAdmin):
    """API keys without their digests; they are made and rotated through the API."""

    list_display = ("id", "name", "tenant_id", "user", "expires_at", "revoked_at", "last_used_at", "created_at")
    list_select_related = ("user",)
    list_filter = ("tenant_id",)
    search_fields = ("name", "=id")
    exclude = ("digest", "previous_digest")
    readonly_fields = ("previous_until", "revoked_at", "last_used_at", "created_at")
    actions = ("revoke",)

    @admin.action(description=_("Revoke"), permissions=["delete"])
    def revoke(self, request: HttpRequest, keys: QuerySet[APIKey]) -> None:
        """Make the chosen keys useless for good."""
        for key in keys:
            revoke_key(key)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """Idempotency keys without what was answered. To delete one lets its request be carried out again."""

    list_display = ("key", "tenant_id", "user", "created_at", "leased_until", "completed_at")
    list_select_related = ("user",)
    list_filter = ("tenant_id",)
    search_fields = ("=key",)
    exclude = ("answer", "fingerprint", "token")
    show_full_result_count = False
