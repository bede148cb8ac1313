"""The capabilities that come with the core. Importing this package registers them."""

from automate_api.capabilities.chat import ChatCapability
from automate_api.capabilities.completions import CompletionCapability, PassthroughCapability
from automate_api.capabilities.embed import EmbedCapability
from automate_api.capabilities.events import EventCapability

__all__ = ["ChatCapability", "CompletionCapability", "EmbedCapability", "EventCapability", "PassthroughCapability"]
