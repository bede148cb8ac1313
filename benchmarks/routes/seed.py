"""The rows that every contender works on."""

import datetime
import random
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from rest_framework.authtoken.models import Token

from automate_api.models import Actor, Endpoint, Execution, LLMClient, Provider
from automate_api.services.api_keys import issue_key
from automate_api.services.endpoints import create_endpoint
from automate_api.services.llm_clients import create_llm_client
from automate_api.services.providers import create_provider
from benchmarks.routes.models import Category, Item

TENANTS = ("north", "south", "east", "west")
CATEGORIES = 5

_FIRST = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What requests need to know: the same user's token and API key, and ids of rows it may see."""

    token: str
    key: str
    category: int
    item: int
    provider: int
    llm_client: int
    endpoint: int
    execution: str


def seed(rows: int) -> Seeded:
    """An empty database with `rows` items, LLM clients and executions each, a quarter of them in the user's tenant."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    chance = random.Random(1)
    user = User.objects.create_user("bench", last_name=TENANTS[0], is_staff=True)
    Item.objects.bulk_create(_items(rows, chance), 1000)
    endpoints = [_endpoint(tenant, user) for tenant in TENANTS]
    LLMClient.objects.bulk_create(_clients(rows, endpoints, user), 1000)
    Execution.objects.bulk_create(_executions(rows, endpoints, user, chance), 1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    own = endpoints[0]
    return Seeded(
        token=Token.objects.create(user=user).key,
        key=issue_key(tenant_id=TENANTS[0], user=user, name="bench", scopes=["*"])[1],
        category=Category.objects.get(tenant_id=TENANTS[0], name="category 3").pk,
        item=_middle(Item),
        provider=Provider.objects.get(tenant_id=TENANTS[0]).pk,
        llm_client=_middle(LLMClient),
        endpoint=own.pk,
        execution=_middle(Execution),
    )


def _middle(model: type[Item] | type[LLMClient] | type[Execution]) -> int:
    keys = list(model.objects.filter(tenant_id=TENANTS[0]).order_by("created_at", "pk").values_list("pk", flat=True))
    return keys[len(keys) // 2]


def _items(rows: int, chance: random.Random) -> Iterator[Item]:
    categories = [
        Category.objects.create(tenant_id=tenant, name=f"category {number}")
        for number in range(CATEGORIES)
        for tenant in TENANTS
    ]
    for number in range(rows):
        category = categories[number % len(categories)]
        made = _made(number, chance)
        yield Item(
            tenant_id=category.tenant_id,
            category=category,
            status=chance.choice(["queued", "running", "done", "failed"]),
            title="gpt-4o-mini",
            asked=chance.randrange(5000),
            answered=chance.randrange(2000),
            payload=_payload(number, chance),
            created_at=made,
            finished_at=made + datetime.timedelta(seconds=2, microseconds=17),
        )


def _endpoint(tenant: str, user: User) -> Endpoint:
    actor = Actor(user=user, tenant_id=tenant)
    provider = create_provider(actor=actor, name="Models", base_url="https://models.example.com/v1", api_key="sk-none")
    client = create_llm_client(actor=actor, name="Helper", provider=provider, model="small")
    return create_endpoint(actor=actor, name="Ask", task_types=["llm.chat"], llm_client=client)


def _clients(rows: int, endpoints: list[Endpoint], user: User) -> Iterator[LLMClient]:
    providers = {provider.tenant_id: provider for provider in Provider.objects.all()}
    for number in range(rows):
        tenant = TENANTS[number % len(TENANTS)]
        yield LLMClient(
            tenant_id=tenant,
            name=f"Client {number}",
            slug=f"made-{number}",
            provider=providers[tenant],
            model="small",
            system_prompt="Answer in one sentence.",
            parameters={"top_p": 0.9},
            owner=user,
        )


def _executions(rows: int, endpoints: list[Endpoint], user: User, chance: random.Random) -> Iterator[Execution]:
    for number in range(rows):
        endpoint = endpoints[number % len(TENANTS)]
        yield Execution(
            tenant_id=endpoint.tenant_id,
            user=user,
            endpoint=endpoint,
            endpoint_version=1,
            llm_client_id=endpoint.llm_client_id,
            task_type="llm.chat",
            status="succeeded",
            input={"question": "What is a fjord?"},
            output={"text": "A long narrow inlet of the sea between high cliffs."},
            usage={"input_tokens": 12, "output_tokens": 34},
            cost="0.00001200",
            steps=[{"name": "chat", "attempt": 1, "status": "succeeded", "started_ms": 0, "duration_ms": 40}],
            duration_ms=41,
            finished_at=_made(number, chance),
            correlation_id=f"{chance.getrandbits(128):032x}",
        )


def _made(number: int, chance: random.Random) -> datetime.datetime:
    return _FIRST + datetime.timedelta(seconds=number * 7, microseconds=chance.randrange(1, 999_999))


def _payload(number: int, chance: random.Random) -> dict[str, object]:
    meta = {"run": number, "trace": f"{chance.getrandbits(128):032x}"}
    return {"temperature": 0.2, "tags": ["a", "b", "c"], "meta": meta}
