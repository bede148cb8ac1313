"""Keeping a secret out of what a model server sends back, also where it comes in pieces."""

from typing import Any

from automate_api.security.shapes import overlap

MASK = "***"


class EchoFilter:
    """Masks secrets in a text that arrives piece by piece.

    A piece's end that could be the beginning of a secret is held back until the next piece shows whether it is.
    """

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = secrets
        self._held = ""

    def feed(self, piece: str) -> str:
        """What of the text so far may be shown and has not been."""
        if not self._secrets:
            return piece
        text: str = mask(self._held + piece, self._secrets)
        keep = max((overlap(text, secret) for secret in self._secrets), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> str:
        """What was held back, at the text's end."""
        held, self._held = self._held, ""
        return held


def mask(value: Any, secrets: tuple[str, ...]) -> Any:
    """`value`, a JSON value, with each of `secrets` masked in every string and key."""
    if not secrets:
        return value
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, list):
        return [mask(item, secrets) for item in value]
    if isinstance(value, dict):
        return {mask(key, secrets): mask(item, secrets) for key, item in value.items()}
    return value
