"""What migrations do with rows that are there."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from automate_api.models import EndpointVersion, LLMClientVersion
from automate_api.services.runs import prepare_execution
from automate_api.services.versions import pinned_endpoint
from tests.factories import make_actor, make_endpoint

keep = import_module("automate_api.migrations.0004_keep_versions").keep

VERSIONS = (EndpointVersion, LLMClientVersion)


@pytest.mark.django_db
def test_endpoints_of_before_versions_were_kept_can_run_as_jobs() -> None:
    endpoint = make_endpoint(config={"input_field": "question"})
    kept = [list(model.objects.order_by("pk").values("version", "snapshot")) for model in VERSIONS]
    for model in VERSIONS:
        model.objects.all().delete()
    for _twice in range(2):
        keep(apps, connection.schema_editor())
    assert [list(model.objects.order_by("pk").values("version", "snapshot")) for model in VERSIONS] == kept
    execution = prepare_execution(endpoint, actor=make_actor(), correlation_id="c", input={"question": "?"})
    assert pinned_endpoint(execution).llm_client == endpoint.llm_client
