"""`python -m benchmarks.host.seed MODEL …`: migrate, make an endpoint a model, and print an API key."""

import os
import sys

import django
from django.core.management import call_command

INPUT_SCHEMA = {
    "type": "object",
    "properties": {"prompt": {"type": "string", "maxLength": 10_000}},
    "required": ["prompt"],
    "additionalProperties": False,
}


def seed(models: list[str], upstream: str, system_prompt: str) -> str:
    """One tenant with a provider at `upstream` and an endpoint a model, whose slug is the model's name.

    Returns the key of a member who may run them and nothing else.
    """
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - models load after django.setup()

    from automate_api.models import Actor  # noqa: PLC0415
    from automate_api.services.api_keys import issue_key  # noqa: PLC0415
    from automate_api.services.endpoints import create_endpoint  # noqa: PLC0415
    from automate_api.services.llm_clients import create_llm_client  # noqa: PLC0415
    from automate_api.services.providers import create_provider  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    users = get_user_model().objects
    actor = Actor(user=users.create_user("staff", is_staff=True), tenant_id="bench")
    provider = create_provider(
        actor=actor, name="Fake", base_url=f"http://{upstream}/v1", api_key="sk-fake-key-of-the-upstream", max_retries=0
    )
    for model in models:
        client = create_llm_client(
            actor=actor, name=model, provider=provider, model=model, system_prompt=system_prompt, temperature=0.2
        )
        create_endpoint(
            actor=actor, name=model, slug=model, task_types=["llm.chat"], llm_client=client, input_schema=INPUT_SCHEMA
        )
    member = users.create_user("member")
    return issue_key(tenant_id="bench", user=member, name="bench", scopes=["endpoints:run"])[1]


if __name__ == "__main__":
    django.setup()
    print(seed(sys.argv[1:], os.environ["BENCH_UPSTREAM"], os.environ["BENCH_SYSTEM_PROMPT"]))
