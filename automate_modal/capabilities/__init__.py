"""The capabilities of the multi-modal gateway. Importing this package registers them."""

from automate_modal.capabilities.stt import TranscribeCapability
from automate_modal.capabilities.text2img import DrawCapability
from automate_modal.capabilities.tts import SpeakCapability

__all__ = ["DrawCapability", "SpeakCapability", "TranscribeCapability"]
