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
        "Bearer%20abc%2Fdef.0123456789%3D",
        "?q=bearer+ABCDEFGHIJKLMNOPQRSTUV",
        "bearer ABCDEFGH\\/IJKLMNOP\\u002BQRSTUV",
        "bearer ABCDEFGH\\\\/IJKLMNOP\\\\u002BQRSTUV",
        "sk%2Dabcdefghijklmnop1234",
        "sk\\u002dabcdefghijklmnop1234",
    ],
)
def test_what_looks_like_a_key_goes_without_being_named(text: str) -> None:
    redacted = redact(f"before {text} after")
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    assert text.rsplit(maxsplit=1)[-1] not in redacted
    assert len(redacted) <= len(f"before {text} after") - 9


@pytest.mark.parametrize("before", ["\\n", "\\t", "key%3D", "\\u003d", "\\\\n", "_", "1", "(", "žluť ", '"', "=", "\n"])
@pytest.mark.parametrize("text", ["sk-abcdefghijklmnop1234", "Bearer ABCDEFGHIJKLMNOPQRSTUV"])
def test_a_key_is_found_wherever_it_may_begin(before: str, text: str) -> None:
    assert redact(f"{before}{text}\n") == f"{before}[redacted]\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("so sk-abcdefghijkl", "so [redacted]"),
        ("so sk-abcdefghijk", "so sk-abcdefghijk"),
        ("so sk-abcdefghijkl and on", "so sk-abcdefghijkl and on"),
        ("so Bearer abcdefGHIJkl", "so [redacted]"),
        ("so bearer responsibilities", "so bearer responsibilities"),
        ("so my/secret+123", "so [redacted]"),
        ("so my/secret+1", "so my/secret+1"),
        ("so my/secret+123 and on", "so my/secret+123 and on"),
    ],
)
def test_a_secret_that_breaks_off_at_the_end_goes_where_enough_of_it_is_there(text: str, shown: str) -> None:
    assert redact(text, ["my/secret+1234567"]) == shown


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_a_named_secret_goes_from_base64_of_more_than_itself(before: str, after: str) -> None:
    secret = "very/secret+key?0123"
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(f"{before}{secret}{after}".encode()).decode()
        shown = redact(f"Basic {text}", [secret])
        assert "[redacted]" in shown
        rest = shown.removeprefix("Basic ").replace("[redacted]", "")
        assert len(rest) <= len(before) * 4 / 3 + len(after) * 4 / 3 + 8


DOCUMENT = {"a": {"b": ["mail ann@example.org", 1, 2.5, None], "ann@example.org": "x"}, "c": "ž"}


def test_of_json_in_a_string_the_strings_are_read(settings: Settings) -> None:
    settings.AUTOMATE_API_REDACT_PATTERNS = [r"ann@\S+?\.org"]
    expected = json.loads(json.dumps(DOCUMENT).replace("ann@example.org", "[redacted]"))
    once = json.dumps(DOCUMENT).replace("@", "\\u0040")
    assert json.loads(redact(once)) == expected
    twice = json.dumps({"arguments": once})
    assert json.loads(json.loads(redact(f"  {twice}"))["arguments"]) == expected
    # What holds nothing stays as it is, letter by letter.
    plain = '{"a" : "x\\u0041", "a": 1e2}'
    assert redact(plain) == plain


@pytest.mark.parametrize(
    "text", ['{"a": "\\u0040', "[" * 200_000 + "\\", '"\\ud800"', "[\\]", '{"a": "\\n", "b": ' + "9" * 5000 + "}"]
)
def test_what_is_no_json_or_no_sane_json_does_no_harm(text: str) -> None:
    assert redact(text) in (text, "[redacted]")


def test_json_too_deep_to_be_read_is_withheld() -> None:
    deep = '["\\n",' * 50_000 + "1" + "]" * 50_000
    assert redact(deep) == "[redacted]"


@pytest.mark.parametrize(
    "text",
    [
        "-".join("sk-abcdefghijklmnop1234"),
        base64.b64encode(b"sk-abcdefghijklmnop1234").decode(),
        "sk-abcdefghijklmnop1234"[::-1],
        "\\u0073k-abcdefghijklmnop1234",
        "password: hunter2",
    ],
)
def test_what_the_pages_say_is_not_recognized_is_not(text: str) -> None:
    assert redact(text) == text


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
