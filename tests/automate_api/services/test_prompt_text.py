"""Prompts as text can be read by people, and taken apart by programs whatever they hold."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from automate_api.services.prompt_text import SEPARATOR, history_text

BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
texts = st.lists(st.sampled_from(["---", "\\---", "\\\\---", "--", "x", "{}", "\\", *BREAKS]), max_size=12).map("".join)


def taken_apart(text: str) -> list[str]:
    """The prompts, by a reader that knows `\\n` alone."""
    prompts: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line == SEPARATOR:
            prompts.append([])
        else:
            prompts[-1].append(line)
    return ["\n".join(lines) for lines in prompts]


def test_a_message_is_its_role_and_its_content() -> None:
    history = [{"role": "user", "content": "How wide?"}, {"role": "assistant", "content": "40 m\nor so"}]
    assert history_text(history) == "user\nHow wide?\n---\nassistant\n40 m\nor so"


def test_tool_calls_follow_the_role_as_json() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "measure", "arguments": "{}"}}
    history = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "40 m"},
    ]
    first, second = taken_apart(history_text(history))
    role, _space, rest = first.partition("\n")[0].partition(" ")
    assert (role, json.loads(rest), first.partition("\n")[2]) == ("assistant", {"tool_calls": [call]}, "")
    assert second == 'tool {"tool_call_id":"call_1"}\n40 m'


def test_content_of_parts_is_json() -> None:
    parts = [{"type": "text", "text": "é"}, {"type": "image_url", "image_url": {"url": "data:x"}}]
    role, content = history_text([{"role": "user", "content": parts}]).split("\n")
    assert (role, json.loads(content)) == ("user", parts)
    assert "é" in content


@pytest.mark.parametrize(
    ("history", "text"),
    [
        ([], ""),
        (["a text to embed"], "\na text to embed"),
        ({"role": "user", "content": "x"}, "user\nx"),
        ([{"role": "us\ner", "content": "x"}], '{"role":"us\\ner"}\nx'),
        ([{"role": 7}], '{"role":7}\n'),
        ([None, 7], "\n\n---\n\n7"),
    ],
)
def test_what_no_run_of_ours_stores_is_text_too(history: Any, text: str) -> None:
    assert history_text(history) == text


@given(st.lists(texts, min_size=1, max_size=5))
@example(["---", "\n---\n", "a\r---\rb", "\\---"])
def test_no_content_can_pass_for_two_prompts(contents: list[str]) -> None:
    text = history_text([{"role": "user", "content": content} for content in contents])
    prompts = taken_apart(text)
    assert len(prompts) == len(contents)
    # Nor by a reader that breaks lines wherever Python does.
    assert text.splitlines().count(SEPARATOR) == len(contents) - 1
    for prompt, content in zip(prompts, contents, strict=True):
        assert [_unescaped(line) for line in prompt.removeprefix("user\n").splitlines()] == content.splitlines()


def _unescaped(line: str) -> str:
    return line[1:] if line.startswith("\\") and line.lstrip("\\") == SEPARATOR else line


@given(
    st.recursive(
        st.none() | texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    )
)
def test_nor_can_anything_else_that_is_stored(anything: Any) -> None:
    text = history_text([{"role": anything, "content": anything, "more": anything}, {"role": "user", "content": "x"}])
    assert len(taken_apart(text)) == 2
    assert text.splitlines().count(SEPARATOR) == 1
