"""What the lists of the domain's nouns can be filtered by."""

from typing import Any, ClassVar

import django_filters as filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from automate_api.models import APIKey, Artifact, Endpoint, Event, Execution, Job, LLMClient, PromptLog, Provider
from automate_api.models.llm_client import LLMClientQuerySet
from automate_api.v1.filters import FilterSet, MomentFilter, SearchFilter

_SLUG = _("Only the one with this slug.")
_USER = _("Only those of the user with this id.")


class TimedFilterSet(FilterSet):
    """Rows by when they were made."""

    created_after = MomentFilter(
        field_name="created_at",
        lookup_expr="gte",
        help_text=_("Only those made at this time (ISO 8601) or later."),
    )
    created_before = MomentFilter(
        field_name="created_at",
        lookup_expr="lt",
        help_text=_("Only those made before this time (ISO 8601)."),
    )


class ProviderFilterSet(FilterSet):
    """Providers by whether they are in use."""

    help_texts: ClassVar[Any] = {
        "slug": _SLUG,
        "enabled": _("Only those that are called, or only those that are not."),
    }

    class Meta:
        model = Provider
        fields = ("slug", "enabled")


class LLMClientFilterSet(FilterSet):
    """LLM clients by whose they are, what they call, and what they are called."""

    search = SearchFilter(
        columns=("name", "slug", "description"),
        help_text=_("Only those with this text in name, slug or description, in upper or lower case."),
    )
    deleted = filters.ChoiceFilter(
        method="filter_deleted",
        choices=(("true", _("deleted")), ("false", _("not deleted"))),
        help_text=_("`true`: those that are deleted and that the caller may restore, instead of those that are not."),
    )
    ownership = filters.ChoiceFilter(
        method="filter_ownership",
        choices=(("all", _("all")), ("owned", _("owned by the caller")), ("shared", _("shared with the caller"))),
        help_text=_("`owned` by the caller, `shared` with it by others, or `all` (the default)."),
    )

    help_texts: ClassVar[Any] = {
        "slug": _SLUG,
        "provider": _("Only those of the provider with this id."),
        "model": _("Only those that name exactly this model."),
    }

    class Meta:
        model = LLMClient
        fields = ("slug", "provider", "model")

    def filter_ownership(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Narrow to the caller's own or to other people's."""
        request: Any = self.request
        actor = request.parser_context["view"].get_actor()
        match value:
            case "owned":
                return rows.filter(owner_id=actor.user.pk)
            case "shared":
                return rows.filter(LLMClientQuerySet.open_to(actor)).exclude(owner_id=actor.user.pk)
        return rows

    def filter_deleted(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """What is there to be listed is the view's choice."""
        return rows.filter(deleted_at__isnull=value != "true")


class EndpointFilterSet(FilterSet):
    """Endpoints by name and whether they are in use."""

    help_texts: ClassVar[Any] = {
        "slug": _SLUG,
        "llm_client": _("Only those on the LLM client with this id."),
        "enabled": _("Only those that can be run, or only those that cannot."),
    }

    class Meta:
        model = Endpoint
        fields = ("slug", "llm_client", "enabled")


class ExecutionFilterSet(TimedFilterSet):
    """Executions by how they went, what they ran, and when."""

    help_texts: ClassVar[Any] = {
        "status": _("Only those that stand there."),
        "task_type": _("Only those that did this."),
        "endpoint": _("Only those of the endpoint with this id."),
        "provider": _("Only those that called the provider with this id without an LLM client."),
        "model": _("Only those that called exactly this model there."),
        "user": _USER,
        "correlation_id": _("Only those of requests with this correlation id."),
    }

    class Meta:
        model = Execution
        fields = ("status", "task_type", "endpoint", "provider", "model", "user", "correlation_id")


class JobFilterSet(TimedFilterSet):
    """Jobs by where they stand, what they carry, and when."""

    help_texts: ClassVar[Any] = {
        "status": _("Only those that stand there."),
        "execution": _("Only the one that carries this execution."),
        "user": _USER,
    }

    class Meta:
        model = Job
        fields = ("status", "execution", "user")


class ArtifactFilterSet(TimedFilterSet):
    """Artifacts by what they are, where they come from, and when."""

    help_texts: ClassVar[Any] = {
        "kind": _("Only those of this kind."),
        "content_type": _("Only those of exactly this media type."),
        "sha256": _("Only those with this SHA-256, in hexadecimal digits."),
        "execution": _("Only those that this execution has made."),
        "job": _("Only those that this job has made."),
        "user": _USER,
    }

    class Meta:
        model = Artifact
        fields = ("kind", "content_type", "sha256", "execution", "job", "user")


class PromptLogFilterSet(TimedFilterSet):
    """Prompt logs by execution, model and time."""

    help_texts: ClassVar[Any] = {
        "log_key": _("Only the one with this key."),
        "model": _("Only those that called this model."),
        "provider": _("Only those that called the provider with this slug."),
        "execution": _("Only the one of this execution."),
        "user": _USER,
    }

    class Meta:
        model = PromptLog
        fields = ("log_key", "model", "provider", "execution", "user")


class EventFilterSet(TimedFilterSet):
    """Events by what happened where, who sent them, and when."""

    help_texts: ClassVar[Any] = {
        "type": _("Only those of exactly this type."),
        "source": _("Only those of this source."),
        "idempotency_key": _("Only those that their source calls so."),
        "user": _USER,
        "correlation_id": _("Only those of requests with this correlation id."),
    }

    class Meta:
        model = Event
        fields = ("type", "source", "idempotency_key", "user", "correlation_id")


class APIKeyFilterSet(FilterSet):
    """API keys by name."""

    help_texts: ClassVar[Any] = {
        "name": _("Only those of exactly this name."),
    }

    class Meta:
        model = APIKey
        fields = ("name",)
