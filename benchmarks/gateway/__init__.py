"""The gateway beside what one would use instead: LiteLLM's proxy, and a bare view."""
