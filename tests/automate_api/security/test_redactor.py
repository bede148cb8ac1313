"""The host's own redactor, which is asked after the patterns."""

import random
import re

import pytest
from pytest_django import Settings

from automate_api.security import redaction
from automate_api.security.redaction import redact, redact_exception
from automate_api.security.streams import LONGEST_HELD, StreamRedactor

HERE = "tests.automate_api.security.test_redactor"
SECRET = "Agent Smith of 12 Long Road"


def names(text: str) -> str:
    return re.sub(r"Agent \w+ of \d+ \w+ Road", "<somebody>", text)


def failing(text: str) -> str:
    raise ValueError(text)


def forgetful(text: str) -> None:
    """Returns nothing."""


def numbered(text: str) -> str:
    """Never says the same of two parts as of both together."""
    return f"{len(text)}: {text}"


@pytest.fixture(autouse=True)
def _heard_nothing() -> None:
    redaction._complain.cache_clear()


def use(settings: Settings, name: str) -> None:
    settings.AUTOMATE_API_REDACTOR = f"{HERE}.{name}"


def test_it_is_asked_beside_the_patterns_of_strings_keys_and_tracebacks(settings: Settings) -> None:
    value = {f"of {SECRET}": [SECRET, "sk-0123456789abcdefgh", "", 1, None]}
    assert SECRET in str(redact(value))
    use(settings, "names")
    assert redact(value) == {"of <somebody>": ["<somebody>", "[redacted]", "", 1, None]}
    assert "<somebody>" in redact_exception(ValueError(SECRET))
    settings.AUTOMATE_API_REDACTOR = None
    assert SECRET in str(redact(value))


@pytest.mark.parametrize("name", ["failing", "forgetful", "missing"])
def test_where_it_fails_the_text_is_withheld_and_that_is_logged_once(
    name: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    use(settings, name)
    assert redact({"a": [SECRET, "more", "", 1]}) == {"[redacted]": ["[redacted]", "[redacted]", "", 1]}
    assert redact_exception(ValueError(SECRET)) == "[redacted]"
    assert len(caplog.records) == 1
    assert SECRET not in caplog.text
    redactor = StreamRedactor()
    assert redactor.feed(SECRET) + redactor.flush() == "[redacted]"


@pytest.mark.parametrize("seed", range(30))
def test_what_it_takes_out_is_found_across_pieces(seed: int, settings: Settings) -> None:
    use(settings, "names")
    chance, redactor = random.Random(seed), StreamRedactor()
    text = " ".join(chance.choices([SECRET, "Agent", "Agent Smith", "of 12", "a longer road " * 9, "x" * 300], k=60))
    shown, place = "", 0
    while place < len(text):
        size = chance.randint(1, 20)
        shown += redactor.feed(text[place : place + size])
        place += size
    assert shown
    shown += redactor.flush()
    assert shown == names(text)


def test_one_that_looks_at_the_whole_stores_nothing_in_clear(settings: Settings) -> None:
    use(settings, "numbered")
    redactor = StreamRedactor()
    shown = "".join(redactor.feed("secret " * 20) for _ in range(LONGEST_HELD // 140 + 1))
    assert shown == "[redacted]"
