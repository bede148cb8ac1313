"""`manage.py prune` deletes what is old and says how much."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from automate_api.models import (
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
)
from automate_api.services import events, retention
from automate_api.services.events import ingest
from automate_api.services.idempotency import Claim, claim_key
from automate_api.services.runs import prepare_chat, prepare_execution
from tests.factories import make_actor, make_endpoint, make_llm_client, make_user

pytestmark = pytest.mark.django_db


def prune(stderr: StringIO | None = None) -> str:
    out = StringIO()
    call_command("prune", stdout=out, stderr=stderr or StringIO())
    return out.getvalue()


def said(*, keys: int = 0, jobs: int = 0, events: int = 0, sent: int = 0, clients: int = 0) -> str:
    """What the command says."""
    counts = {"idempotency keys": keys, "jobs": jobs, "job events": events, "events": sent, "LLM clients": clients}
    return "".join(f"{label}: {count} deleted\n" for label, count in counts.items())


def test_old_idempotency_keys_go() -> None:
    for number in range(3):
        outcome = claim_key(str(number), tenant_id="", user=make_user(), fingerprint="f")
        assert isinstance(outcome, Claim)
        outcome.complete("x")
    IdempotencyKey.objects.filter(key__in="01").update(created_at=F("created_at") - timedelta(days=2))
    assert prune() == said(keys=2)
    assert prune() == said()
    assert IdempotencyKey.objects.count() == 1


def make_job(*, ended: timedelta | None, events: int = 5) -> Job:
    """A job that ended so long ago, or has not ended, with its log and a step."""
    actor = make_actor()
    execution = prepare_execution(make_endpoint(), actor=actor, correlation_id="c", input="?")
    execution.save(force_insert=True)
    kept = {"attempts": 1, "max_attempts": 3, "timeout_seconds": 1, "not_before": timezone.now()}
    status = Job.Status.RUNNING if ended is None else Job.Status.SUCCEEDED
    finished = None if ended is None else timezone.now() - ended
    job: Job = Job.objects.create(
        tenant_id=actor.tenant_id, execution=execution, status=status, finished_at=finished, last_event=events, **kept
    )
    JobEvent.objects.bulk_create(
        JobEvent(job=job, sequence=number, type="final" if number == events else "token", data={})
        for number in range(1, events + 1)
    )
    JobStep.objects.create(job=job, key="paid")
    return job


def test_events_of_jobs_that_ended_long_ago_go_but_for_the_last() -> None:
    old, fresh, running = (make_job(ended=age) for age in (timedelta(days=8), timedelta(days=6), None))
    assert prune() == said(events=4)
    assert prune() == said()
    assert list(old.events.values_list("sequence", "type")) == [(5, "final")]
    assert (fresh.events.count(), running.events.count()) == (5, 5)


def test_jobs_stay_unless_a_retention_is_set(settings: Settings) -> None:
    settings.AUTOMATE_API_JOB_EVENT_RETENTION = None
    make_job(ended=timedelta(days=4000))
    assert prune() == said()


def test_old_jobs_go_with_events_and_steps_and_executions_stay(settings: Settings) -> None:
    settings.AUTOMATE_API_JOB_RETENTION = 3600
    make_job(ended=timedelta(hours=2))
    kept = [make_job(ended=timedelta(minutes=50)), make_job(ended=None)]
    assert prune() == said(jobs=1)
    assert set(Job.objects.all()) == set(kept)
    assert (Execution.objects.count(), JobEvent.objects.count(), JobStep.objects.count()) == (3, 10, 2)


def test_what_goes_goes_in_batches(settings: Settings) -> None:
    settings.AUTOMATE_API_JOB_RETENTION = 3600
    for _ in range(3):
        make_job(ended=timedelta(days=30), events=4)
    assert retention.count_events() == 9
    assert list(retention.prune_events(batch=4)) == [4, 4, 1]
    assert retention.count_jobs() == 3
    assert list(retention.prune_jobs(batch=20)) == [2, 1]


def test_events_that_were_sent_long_ago_go_where_a_retention_is_set(settings: Settings) -> None:
    actor = make_actor()
    for number in range(3):
        ingest([{"type": "a", "source": "b", "idempotency_key": str(number)}], actor=actor, correlation_id="c")
    Event.objects.exclude(idempotency_key="2").update(created_at=F("created_at") - timedelta(hours=2))
    assert prune() == said()
    settings.AUTOMATE_API_EVENT_RETENTION = 3600
    assert list(events.prune(batch=1)) == [1, 1]
    assert Event.objects.get().idempotency_key == "2"
    Event.objects.update(created_at=F("created_at") - timedelta(hours=2))
    assert prune() == said(sent=1)


def test_a_terminal_shows_how_far_it_is() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    make_job(ended=timedelta(days=8))
    shown = Terminal()
    prune(shown)
    assert "job events [" + "#" * 30 + "] 4/4" in shown.getvalue()


def make_deleted_client(*, days: float) -> LLMClient:
    """One that was deleted so long ago, with a version, a share and something that ran on it."""
    client = make_llm_client()
    client.shares.create(user=make_user())
    execution = prepare_chat(client, actor=make_actor(is_staff=True), correlation_id="c", input="?")
    execution.save(force_insert=True)
    PromptLog.objects.create(tenant_id="default", execution=execution, log_key=client.slug)
    LLMClient.objects.filter(pk=client.pk).update(deleted_at=timezone.now() - timedelta(days=days))
    return client


def test_expired_llm_clients_go_and_what_ran_on_them_stays(settings: Settings) -> None:
    gone, kept, alive = make_deleted_client(days=31), make_deleted_client(days=29), make_llm_client()
    settings.AUTOMATE_API_LLM_CLIENT_RETENTION = None
    assert prune() == said()
    del settings.AUTOMATE_API_LLM_CLIENT_RETENTION
    assert prune() == said(clients=1)
    assert set(LLMClient.objects.all()) == {kept, alive}
    assert not LLMClientVersion.objects.filter(llm_client_id=gone.pk).exists()
    assert list(LLMClientShare.objects.values_list("llm_client", flat=True)) == [kept.pk]
    ran = set(Execution.objects.values_list("llm_client", "llm_client_version"))
    assert ran == {(kept.pk, 1), (None, 1)}
    assert PromptLog.objects.count() == 2


def test_one_that_an_endpoint_uses_all_the_same_is_left() -> None:
    client, gone = make_deleted_client(days=31), make_deleted_client(days=31)
    make_endpoint(llm_client=client)
    assert prune() == said(clients=1)
    assert not LLMClient.objects.filter(pk=gone.pk).exists()


def test_llm_clients_go_in_batches_and_so_does_what_ran_on_them() -> None:
    for _client in range(5):
        make_deleted_client(days=31)
    assert list(retention.prune_llm_clients(batch=20)) == [2, 2, 1]
    assert not LLMClient.objects.exists()
    assert Execution.objects.filter(llm_client=None).count() == 5
    most_used = make_deleted_client(days=31)
    for number in range(4):
        Execution.objects.create(
            tenant_id="default", llm_client=most_used, task_type="llm.chat", input="?", correlation_id=str(number)
        )
    assert list(retention.prune_llm_clients(batch=2)) == [1]
    assert not Execution.objects.exclude(llm_client=None).exists()
