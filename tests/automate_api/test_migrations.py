"""What migrations do with rows that are there."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from automate_api.models import EndpointVersion, LLMClient, LLMClientVersion
from automate_api.services.runs import prepare_execution
from automate_api.services.versions import pinned_endpoint
from tests.factories import make_actor, make_endpoint, make_llm_client

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


@pytest.mark.django_db(transaction=True)
def test_llm_clients_of_before_they_could_be_deleted_are_alive_and_as_unique_as_they_were() -> None:
    before, now = MigrationExecutor(connection), MigrationExecutor(connection)
    clients = [make_llm_client(name="Same", slug=f"same-{number}") for number in range(3)]
    make_endpoint(llm_client=clients[0])
    columns = [field.name for field in LLMClient._meta.concrete_fields]
    rows = list(LLMClient.objects.order_by("pk").values(*columns))
    try:
        before.migrate([("automate_api", "0005_artifacts_and_events")])
    finally:
        now.loader.build_graph()
        # What builds on it has gone back with it.
        now.migrate(now.loader.graph.leaf_nodes())
    assert list(LLMClient.objects.order_by("pk").values(*columns)) == rows
    assert {row["deleted_at"] for row in rows} == {None}
    for taken in ({"slug": "same-1"}, {"owner": clients[0].owner, "name": "Same"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_llm_client(**taken)
    LLMClient.objects.filter(pk=clients[1].pk).update(deleted_at=timezone.now())
    make_llm_client(slug="same-1", owner=clients[1].owner, name="Same")
