"""Steps of a host's own."""

from typing import Any

from automate.steps import Step, StepContext
from automate_api.exceptions import StepFailed, UpstreamFailed
from automate_api.security.outbound import Timeouts, request
from tests.hosts.shop.models import Organization


class FoundStep(Step):
    """Found an organization, which is there once however often it is tried, and tell a registry of it."""

    type = "shop.found"
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 50}, "registry": {"type": "string"}},
        "required": ["name", "registry"],
        "additionalProperties": False,
    }
    output_schema = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    literal_fields = ("registry",)

    async def run(self, ctx: StepContext) -> dict[str, Any]:
        name = ctx.settings["name"].strip()
        if not name:
            raise StepFailed("An organization has a name.")
        made = await ctx.once("found", lambda: Organization.objects.create(name=name).pk)
        async with request(
            "POST", ctx.settings["registry"], headers={"Idempotency-Key": ctx.key}, timeouts=Timeouts(5, 5, 5, 5)
        ) as answer:
            if answer.status >= 500:
                raise UpstreamFailed
        return {"id": made}
