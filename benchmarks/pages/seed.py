"""Many executions, made by the database itself."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from automate_api.models import Actor
from automate_api.services.api_keys import issue_key
from automate_api.services.endpoints import create_endpoint
from automate_api.services.llm_clients import create_llm_client
from automate_api.services.providers import create_provider

TENANT = "north"

# Ten runs share each moment, so that pages end within ties; keys are in no order. Half are the member's, one in four
# hundred failed, two hundred share a correlation id, and a tenth as many again are another tenant's.
_EXECUTIONS = """
INSERT INTO automate_api_execution
    (id, tenant_id, created_at, user_id, endpoint_id, endpoint_version, llm_client_id, task_type, status, input, params,
     output, error, usage, cost, steps, first_token_ms, duration_ms, finished_at, correlation_id)
SELECT
    gen_random_uuid(), CASE WHEN n %% 11 = 10 THEN 'south' ELSE 'north' END,
    timestamptz '2026-01-01' + (n / 10) * interval '1 second',
    CASE WHEN n %% 2 = 0 THEN %(member)s::bigint ELSE %(staff)s::bigint END,
    %(endpoint)s, 1, %(llm_client)s, 'llm.chat',
    CASE WHEN n %% 400 = 7 THEN 'failed' ELSE 'succeeded' END,
    '{"question": "What is a fjord?"}', '{}', '{"text": "A long narrow inlet of the sea between high cliffs."}', NULL,
    '{"input_tokens": 12, "output_tokens": 34}', 0.000012,
    '[{"name": "chat", "attempt": 1, "status": "succeeded", "started_ms": 0, "duration_ms": 40}]', NULL, n %% 977,
    CASE WHEN n %% 50 = 3 THEN NULL ELSE timestamptz '2026-01-01' + (n / 10) * interval '1 second' END,
    md5((n / 200)::text)
FROM generate_series(1, %(rows)s) AS n
"""


@dataclass(frozen=True, slots=True)
class Seeded:
    """API keys of a member and of staff, and what lists can be filtered by."""

    member: str
    staff: str
    member_id: int
    endpoint: int
    correlation_id: str


def seed(rows: int) -> Seeded:
    """An empty database with `rows` executions in the tenant, and some in another."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    staff = User.objects.create_user("staff", last_name=TENANT, is_staff=True)
    member = User.objects.create_user("member", last_name=TENANT)
    actor = Actor(user=staff, tenant_id=TENANT)
    provider = create_provider(actor=actor, name="Models", base_url="https://models.example.com/v1", api_key="sk-none")
    client = create_llm_client(actor=actor, name="Helper", provider=provider, model="small")
    endpoint = create_endpoint(actor=actor, name="Ask", task_types=["llm.chat"], llm_client=client)
    ids = {"member": member.pk, "staff": staff.pk, "endpoint": endpoint.pk, "llm_client": client.pk}
    with connection.cursor() as cursor:
        cursor.execute(_EXECUTIONS, {**ids, "rows": rows * 11 // 10})
        cursor.execute("SELECT correlation_id FROM automate_api_execution WHERE tenant_id = 'north' LIMIT 1")
        [correlation_id] = cursor.fetchone()
        cursor.execute("VACUUM ANALYZE automate_api_execution")
    keys = [issue_key(tenant_id=TENANT, user=user, name="bench", scopes=["*"])[1] for user in (member, staff)]
    return Seeded(*keys, member.pk, endpoint.pk, correlation_id)
