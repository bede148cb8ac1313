"""What the capabilities of the gateway take."""

from typing import Any

import pytest

from automate_api.engine.capability import Capability, get_capability
from automate_api.engine.json_schema import check_schema, check_value

TEXT = "x" * 4096
PROMPT = "x" * 32_000

INPUT: dict[str, tuple[list[Any], list[Any]]] = {
    "audio.stt": (
        [{"audio": "0199e5a0-0000-7000-8000-000000000000"}],
        [
            "text",
            {},
            {"audio": 7},
            {"audio": ["x"]},
            {"audio": None},
            {"file": "x"},
            {"audio": "x", "url": "http://x"},
            [],
        ],
    ),
    "audio.tts": (
        ["Hello.", TEXT, {"text": TEXT}],
        ["", TEXT + "x", {"text": ""}, {"text": TEXT + "x"}, {}, ["x"], 7, None, {"text": "a", "b": 1}],
    ),
    "image.text2img": (
        ["A fox.", PROMPT, {"prompt": PROMPT}],
        ["", PROMPT + "x", {"prompt": ""}, {"text": "x"}, ["x"], None, {"prompt": "x", "image": "x"}],
    ),
}
PARAMS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "audio.stt": (
        [{"language": "en", "prompt": "", "temperature": 1}],
        [{"language": ""}, {"temperature": 1.1}, {"prompt": "x" * 4001}, {"response_format": "srt"}, {"model": "x"}],
    ),
    "audio.tts": (
        [{"format": "opus", "speed": 4, "voice": "alloy", "instructions": "Whisper."}, {"speed": 0.25}],
        [
            {"format": "exe"},
            {"speed": 0.2},
            {"speed": 5},
            {"voice": ""},
            {"response_format": "mp3"},
            {"model": "x"},
            {"input": "x"},
        ],
    ),
    "image.text2img": (
        [{"n": 10, "size": "1024x1792", "quality": "hd", "background": "auto", "style": "vivid"}, {"size": "auto"}],
        [
            {"n": 0},
            {"n": 11},
            {"n": True},
            {"n": "1"},
            {"size": "8"},
            {"size": "0x8"},
            {"size": "999999x1"},
            {"quality": ""},
            {"style": "x" * 51},
            {"response_format": "url"},
            {"user": "x"},
        ],
    ),
}
CONFIG: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "audio.stt": ([{}], [{"voice": "x"}]),
    "audio.tts": ([{}, {"voice": "alloy"}], [{"voice": ""}, {"format": "mp3"}]),
    "image.text2img": ([{"response_format": "url"}], [{"response_format": "path"}, {"n": 1}]),
}
WHERE = {"input_schema": INPUT, "params_schema": PARAMS, "config_schema": CONFIG}


def of(task_type: str) -> Capability:
    found = get_capability(task_type)
    assert found is not None
    return found


@pytest.mark.parametrize("name", WHERE)
@pytest.mark.parametrize("task_type", INPUT)
def test_what_is_promised_is_taken_and_nothing_else(task_type: str, name: str) -> None:
    schema = getattr(of(task_type), name)
    assert check_schema(schema, field=name) == []
    taken, refused = WHERE[name][task_type]
    assert [value for value in taken if check_value(value, schema, field="x")] == []
    assert [value for value in refused if not check_value(value, schema, field="x")] == []


@pytest.mark.parametrize("task_type", INPUT)
def test_each_needs_a_model_and_may_be_offered_by_endpoints(task_type: str) -> None:
    assert (of(task_type).needs_llm_client, of(task_type).for_endpoints) == (True, True)
    assert of(task_type).artifact_inputs == (("audio",) if task_type == "audio.stt" else ())
