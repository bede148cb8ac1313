"""Texts that come in pieces, redacted as if they came at once."""

import base64
import random
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from automate_api.security import streams
from automate_api.security.redaction import LONGEST_MATCH, redact
from automate_api.security.streams import LONGEST_HELD, StreamRedactor

KEY = "provider/key+0123456789"
WORDS = [
    "the",
    "risk",
    "ask-",
    "bearer",
    "Bearer ",
    "sk-",
    "aak_",
    "s",
    "b",
    " ",
    "\n",
    ".",
    "=",
    "žluťoučký",
    "🦊",
    "\x00",
    "\\n",
    "\\u003d",
    "%3D",
    "%20",
    "sk\\u002d",
    '{"a": "',
    '"}',
]


def pieces_of(text: str, chance: random.Random, longest: int = 20) -> Iterator[str]:
    """`text` in pieces of 1 to `longest` characters."""
    place = 0
    while place < len(text):
        size = chance.randint(1, longest)
        yield text[place : place + size]
        place += size


def secrets_of(chance: random.Random) -> list[str]:
    """One secret of each kind that is always redacted."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
    some = "".join(chance.choices(letters, k=chance.randint(20, 60)))
    return [
        f"aak_{chance.randbytes(16).hex()}_{some}",
        f"sk-{some}",
        f"Bearer {some}",
        f"bearer%20{some}",
        f"sk%2D{some}",
        KEY,
        base64.b64encode(KEY.encode()).decode(),
    ]


def stored(pieces: Iterator[str], redactor: StreamRedactor) -> list[str]:
    return [shown for piece in pieces if (shown := redactor.feed(piece))] + [redactor.flush()]


@pytest.mark.parametrize("pattern", [None, r"\bcard \d{4}-\d{4}\b"])
@pytest.mark.parametrize("seed", range(100))
def test_however_a_text_is_split_its_pieces_are_the_redacted_whole(
    seed: int, pattern: str | None, settings: Settings
) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = [pattern] if pattern else []
    chance = random.Random(seed)
    secrets = [*secrets_of(chance), "card 1234-5678"][: None if pattern else -1]
    text = "".join(chance.choices([*WORDS, *secrets, "x" * 300], k=40))
    shown = "".join(stored(pieces_of(text, chance), StreamRedactor([KEY])))
    assert shown == redact(text, [KEY])


@pytest.mark.parametrize("seed", range(100))
def test_no_secret_stands_in_what_is_stored_nor_at_the_seam_of_two_pieces(seed: int) -> None:
    chance = random.Random(seed)
    secrets = secrets_of(chance)
    text = " ".join(chance.choices([*WORDS, *secrets], k=40))
    assert any(secret in text for secret in secrets)
    kept = stored(pieces_of(text, chance), StreamRedactor([KEY]))
    assert not [secret for secret in secrets if secret.replace("%20", " ").split()[-1] in "".join(kept)]


def test_ordinary_text_is_not_held_back() -> None:
    redactor = StreamRedactor([KEY])
    assert [redactor.feed(piece) for piece in ("0 ", "It h", "ad on", ", they said. ")] == [
        "0 ",
        "It h",
        "ad on",
        ", they said. ",
    ]
    assert redactor.flush() == ""


def test_what_may_become_a_secret_is_held_until_it_is_none_or_the_text_ends() -> None:
    redactor = StreamRedactor([KEY])
    assert [redactor.feed("so "), redactor.feed("s"), redactor.feed("k"), redactor.feed("y")] == ["so ", "", "", "sky"]
    assert [redactor.feed(" provider/"), redactor.flush()] == [" ", "provider/"]
    assert [redactor.feed("sk-abc"), redactor.flush()] == ["", "sk-abc"]


def test_a_word_that_began_before_is_no_key() -> None:
    redactor = StreamRedactor()
    assert redactor.feed("ri") + redactor.feed("sk-adjusted-rate-of-return ") == "risk-adjusted-rate-of-return "


def test_where_the_host_has_patterns_as_much_is_held_as_they_may_match(settings: Settings) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = [r"<[^>]*>"]
    redactor, secret = StreamRedactor(), f"<{'x ' * (LONGEST_MATCH // 2 - 1)}>"
    assert len(secret) == LONGEST_MATCH
    shown = [redactor.feed(piece) for piece in ["before ", *secret, " after" * 200]]
    assert "x" not in "".join(shown)
    assert "".join(shown).startswith("before [redacted] after")
    assert len("".join(shown) + redactor.flush()) == len("before [redacted]" + " after" * 200)


def test_a_built_in_secret_may_be_long() -> None:
    redactor, secret = StreamRedactor(), "sk-" + "x" * (LONGEST_HELD - 10)
    shown = [redactor.feed(piece) for piece in pieces_of(f"before {secret} after", random.Random(1), 500)]
    assert "".join(shown) + redactor.flush() == "before [redacted] after"


def test_one_without_an_end_is_withheld_up_to_the_next_space() -> None:
    redactor = StreamRedactor()
    shown = "".join(redactor.feed(piece) for piece in ["a sk-", *(["x" * 1000] * 50)])
    assert (shown, redactor.feed("xx"), redactor.feed("x y"), redactor.flush()) == ("a [redacted]", "", " y", "")
    assert redactor.feed("another text") == "another text"


def test_a_single_large_piece_is_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def looking(text: str, *args: object, **kwargs: object) -> str:
        sizes.append(len(text))
        return redact(text)

    monkeypatch.setattr(streams, "redact", looking)
    redactor = StreamRedactor()
    redactor.feed("sk-x." * 20_000 + "sk-" + "x" * 50_000)
    assert max(sizes) <= LONGEST_HELD + 4097
