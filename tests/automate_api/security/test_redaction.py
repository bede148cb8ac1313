"""Secrets taken out of texts, data and tracebacks."""

import base64
import contextvars
import json
from typing import Any
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from automate_api.models import Provider
from automate_api.security.redaction import forget_revealed, redact, redact_exception, remember_revealed

SECRET = 'p"ä ss/w\\ord+1'


@pytest.mark.parametrize(
    "text",
    [
        f"key {SECRET} end",
        f"{SECRET}{SECRET}",
        json.dumps({"key": SECRET}),
        f"https://host/?key={quote(SECRET, safe='')}",
        repr({"key": SECRET}),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_named_secret_goes_in_every_spelling(text: str) -> None:
    redacted = redact(text, [SECRET])
    assert "[redacted]" in redacted
    for spelling in (SECRET, json.dumps(SECRET)[1:-1], quote(SECRET, safe=""), "ss/w"):
        assert spelling not in redacted


@pytest.mark.parametrize(
    "text",
    [
        f"aak_{'0' * 32}_{'A-_' * 14}A",
        "sk-abcdefghijklmnop1234",
        "sk-proj-abcdefghijklmnop_1234",
        "Authorization: Bearer abc123.def456",
        "authorization: bearer ABCDEFGHIJKLMNOPQRSTUV==",
    ],
)
def test_what_looks_like_a_key_goes_without_being_named(text: str) -> None:
    redacted = redact(f"before {text} after")
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    assert text.rsplit(maxsplit=1)[-1] not in redacted


@pytest.mark.parametrize(
    "text", ["", "bearer instruments are risky", "ask-me", "sk-short", "aak_", "the risk-adjusted rate"]
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


def test_the_shape_of_data_stays_and_keys_are_redacted_too() -> None:
    value = {"a": ["topsecret", 1, None, True, 1.5], "topsecret": {"b": ("topsecret",)}}
    expected = {"a": ["[redacted]", 1, None, True, 1.5], "[redacted]": {"b": ("[redacted]",)}}
    assert redact(value, ["topsecret"]) == expected
    assert value["a"][0] == "topsecret"


def test_keys_that_would_become_the_same_are_told_apart() -> None:
    value = {"topsecret": 1, "a": {"topsecret": 2}, "sk-0123456789abcdef": 3, "[redacted] 2": 4, "[redacted]": 5}
    assert redact(value, ["topsecret"]) == {
        "[redacted]": 1,
        "a": {"[redacted]": 2},
        "[redacted] 3": 3,
        "[redacted] 2": 4,
        "[redacted] 4": 5,
    }
    many = {f"sk-0123456789abcdef{number:05}": number for number in range(2000)}
    assert list(redact(many).values()) == list(range(2000))


def test_what_else_is_made_of_strings_is_made_of_what_may_be_shown_and_once_of_each() -> None:
    made = []

    def upper(text: str) -> str:
        made.append(text)
        return text.upper()

    value = {"a": ["a", "topsecret", "topsecret"], "b": ("a", 1)}
    assert redact(value, ["topsecret"], also=upper) == {"A": ["A", "[REDACTED]", "[REDACTED]"], "B": ("A", 1)}
    assert sorted(made) == ["[redacted]", "a", "b"]


def test_a_secret_within_a_longer_one_leaves_no_rest() -> None:
    assert redact("topsecret-and-more", ["topsecret", "topsecret-and-more"]) == "[redacted]"


@pytest.mark.parametrize("secret", ["", "a", "abc"])
def test_a_secret_too_short_to_be_one_does_not_tear_holes(secret: str) -> None:
    assert redact("a cab abc", [secret]) == "a cab abc"


def test_the_hosts_patterns_count_and_are_read_live(settings: Settings) -> None:
    assert redact("card 4111-1111") == "card 4111-1111"
    settings.AUTOMATE_API_REDACT_PATTERNS = [r"\d{4}-\d{4}"]
    assert redact("card 4111-1111") == "card [redacted]"


def test_a_pattern_that_is_none_is_improperly_configured(settings: Settings) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = ["("]
    with pytest.raises(ImproperlyConfigured, match="REDACT_PATTERNS"):
        redact("x")


def failing(message: str) -> BaseException:
    """An exception with a cause, both of which say `message`."""
    try:
        try:
            raise ValueError(f"inner {message}")
        except ValueError as inner:
            raise RuntimeError(f"outer {message}") from inner
    except RuntimeError as outer:
        return outer


def test_a_traceback_says_where_but_not_what_is_secret() -> None:
    text = redact_exception(failing("canary-1"), ["canary-1"])
    assert "canary-1" not in text
    assert "RuntimeError: outer [redacted]" in text
    assert "ValueError: inner [redacted]" in text
    assert "in failing" in text


def test_what_a_request_revealed_is_kept_out_until_it_is_over() -> None:
    def request() -> None:
        Provider(api_key="canary-2").api_key.reveal()
        assert "canary-2" not in redact_exception(failing("canary-2"))
        forget_revealed()
        assert "canary-2" in redact_exception(failing("canary-2"))

    contextvars.copy_context().run(request)


def test_revealing_without_end_does_not_fill_the_memory() -> None:
    def worker() -> None:
        for number in range(100):
            remember_revealed(f"canary-{number:03}")
        assert "canary-099" not in redact_exception(failing("canary-099"))
        assert "canary-000" in redact_exception(failing("canary-000"))

    contextvars.copy_context().run(worker)


def test_what_cannot_be_redacted_is_returned_as_it_is() -> None:
    value: Any = object()
    assert redact(value) is value


def test_what_holds_no_secret_is_not_kept_twice() -> None:
    plain = {"a": [1, True, None, {"b": ("c", 2.5)}]}
    assert redact(plain) is plain
    mixed = {"plain": plain, "secret": ["canary-3"]}
    shown = redact(mixed, ["canary-3"])
    assert (shown, mixed["secret"]) == ({"plain": plain, "secret": ["[redacted]"]}, ["canary-3"])
    assert shown["plain"] is plain


def test_keys_alike_at_each_depth_are_no_more_work_than_at_one() -> None:
    # Looking at what is below twice, at each of the levels, would never end.
    deep: Any = "end"
    for _level in range(64):
        deep = {"canary-4": deep, "x canary-4": 1, "[redacted]": 2}
    shown = redact(deep, ["canary-4", "x canary-4"])
    for _level in range(64):
        assert list(shown) == ["[redacted]", "[redacted] 2", "[redacted] 3"]
        shown = shown["[redacted]"]
    assert shown == "end"
