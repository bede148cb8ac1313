"""The domain's tables."""

from automate_api.models.api_key import APIKey
from automate_api.models.artifact import Artifact
from automate_api.models.change_counter import ChangeCounter
from automate_api.models.endpoint import Endpoint, EndpointGrant
from automate_api.models.event import Event
from automate_api.models.execution import Execution
from automate_api.models.idempotency_key import IdempotencyKey
from automate_api.models.job import Job, JobEvent, JobStep
from automate_api.models.llm_client import LLMClient, LLMClientShare
from automate_api.models.maintenance import Maintenance
from automate_api.models.prompt_log import PromptLog
from automate_api.models.provider import Provider
from automate_api.models.tenant import Actor
from automate_api.models.version import EndpointVersion, LLMClientVersion

__all__ = [
    "APIKey",
    "Actor",
    "Artifact",
    "ChangeCounter",
    "Endpoint",
    "EndpointGrant",
    "EndpointVersion",
    "Event",
    "Execution",
    "IdempotencyKey",
    "Job",
    "JobEvent",
    "JobStep",
    "LLMClient",
    "LLMClientShare",
    "LLMClientVersion",
    "Maintenance",
    "PromptLog",
    "Provider",
]
