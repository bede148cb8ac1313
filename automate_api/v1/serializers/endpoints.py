"""Endpoints and their runs on the wire."""

from functools import cache
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request

from automate_api.models import Endpoint, LLMClient
from automate_api.v1.schema.tasks import known_task_types
from automate_api.v1.serializers.fields import (
    GroupField,
    MemberField,
    ObjectField,
    ReadableRelatedField,
    RunInputField,
    RunParamsField,
    helped,
)
from automate_api.v1.serializers.grants import GrantsSerializer
from automate_api.v1.serializers.rows import RowSerializer


class AccessSerializer(GrantsSerializer):
    """Who may run an endpoint besides the tenant's staff; at most 200 users and as many groups."""

    members = serializers.BooleanField(required=False, help_text=_("Every member of the tenant."))
    users = MemberField(many=True, required=False, help_text=_("Ids of users, members of the tenant."))
    groups = GroupField(many=True, required=False, help_text=_("Ids of groups that have a member in the tenant."))


class EndpointSerializer(RowSerializer[Endpoint]):
    """A task that callers run: its capability, its model, and what it accepts."""

    slug = serializers.SlugField(
        max_length=64, required=False, help_text=_("Its name in paths, unique in the tenant; made of `name` if absent.")
    )
    task_types = serializers.ListField(
        child=serializers.CharField(max_length=64),
        min_length=1,
        help_text=_("What it does, such as `llm.chat`; a run that names none does the first."),
    )
    llm_client = ReadableRelatedField(
        queryset=LLMClient.objects.all(),
        required=False,
        allow_null=True,
        help_text=_("The LLM client it runs on; null where its task types need none."),
    )
    config = ObjectField(required=False, help_text=_("How the task is done; its members are the task type's."))
    input_schema = ObjectField(
        required=False, help_text=_("JSON Schema (draft 2020-12) of the input of a run; empty accepts anything.")
    )
    default_params = ObjectField(required=False, help_text=_("Parameters of runs that bring none of their own."))
    access = AccessSerializer(required=False, help_text=_("Who may run it besides staff; every member unless given."))

    class Meta:
        model = Endpoint
        fields = (
            "id",
            "name",
            "slug",
            "task_types",
            "llm_client",
            "config",
            "input_schema",
            "default_params",
            "access",
            "rate_limit",
            "enabled",
            "version",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("version", "created_at", "updated_at")
        extra_kwargs = helped(
            name=_("What people call it."),
            rate_limit=_("How often each caller may run it, such as `100/hour`; empty: no limit."),
            enabled=_("Whether it can be run; members see it only then."),
            version=_("Counts up with every change."),
        )
        validators: list[Any] = []


class RunRequestSerializer(serializers.Serializer[Any]):
    """What a caller may send to a run: data, and nothing that says where or how it is processed."""

    input = RunInputField(
        help_text=_("What the task type takes. The endpoint's `input_schema` narrows it: it has to fit both.")
    )
    params = RunParamsField(
        required=False, help_text=_("Parameters of the task type; they win over the endpoint's defaults.")
    )
    task_type = serializers.CharField(
        required=False,
        max_length=64,
        help_text=format_lazy(
            "{} {}.", _("One of the endpoint's task types; its first where left out. This host has"), known_task_types()
        ),
    )


@cache
def _run_request() -> RunRequestSerializer:
    return RunRequestSerializer()


def run_request_of(request: Request) -> dict[str, Any]:
    """`input`, and `params` and `task_type` where they were sent, of a request to run something.

    Raises:
        ValidationError: they do not fit.
    """
    return checked_run_request(request.data)


def checked_run_request(data: Any) -> dict[str, Any]:
    """The same of `data`, whatever it came in.

    Raises:
        ValidationError: it does not fit.
    """
    # `run_validation` leaves nothing behind, so that one serializer, whose fields are costly to make, serves all.
    asked: dict[str, Any] = _run_request().run_validation(data)
    return asked
