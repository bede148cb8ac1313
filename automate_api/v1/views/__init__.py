"""The views of version 1, which a host may subclass and mount itself."""

from automate_api.v1.views.api_keys import APIKeyViewSet
from automate_api.v1.views.artifacts import ArtifactViewSet
from automate_api.v1.views.endpoints import EndpointViewSet
from automate_api.v1.views.events import EventIngestView
from automate_api.v1.views.executions import ExecutionViewSet
from automate_api.v1.views.index import IndexView
from automate_api.v1.views.jobs import JobViewSet
from automate_api.v1.views.llm_clients import LLMClientViewSet
from automate_api.v1.views.models import ModelListView
from automate_api.v1.views.prompt_logs import PromptLogViewSet
from automate_api.v1.views.providers import ProviderViewSet

__all__ = [
    "APIKeyViewSet",
    "ArtifactViewSet",
    "EndpointViewSet",
    "EventIngestView",
    "ExecutionViewSet",
    "IndexView",
    "JobViewSet",
    "LLMClientViewSet",
    "ModelListView",
    "PromptLogViewSet",
    "ProviderViewSet",
]
