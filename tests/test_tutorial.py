"""The tutorial, followed to its end on a real server."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guides import Reader, blocks
from tests.upstream import TEXT, FakeUpstream

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory, model_server: FakeUpstream) -> Iterator[list[str]]:
    """What the tutorial's commands print."""
    reader = Reader(tmp_path_factory.mktemp("tutorial"), model_server)
    try:
        yield reader.follow("tutorial.md")
    finally:
        reader.stop()


def test_the_settings_raise_no_complaint(printed: list[str]) -> None:
    assert any("System check identified no issues (0 silenced)." in text for text in printed)


def test_the_provider_is_made_without_showing_its_key_and_answers(printed: list[str]) -> None:
    made, tried = (next(text for text in printed if part in text) for part in ('"has_api_key":', '"latency_ms":'))
    assert '"has_api_key":true' in made
    assert "none" not in made
    assert json.loads(tried)["ok"] is True


def test_the_run_succeeds_and_is_listed_with_its_conversation(printed: list[str]) -> None:
    place = next(number for number, text in enumerate(printed) if '"status":"succeeded"' in text)
    execution = json.loads(printed[place])
    assert (execution["status"], execution["output"]["text"]) == ("succeeded", TEXT)
    executions, logs = (json.loads(line)["results"] for line in printed[place + 1].strip().splitlines())
    assert [row["id"] for row in executions] == [execution["id"]]
    assert [row["response"] for row in logs] == [TEXT]


def test_the_stream_has_the_events_the_page_shows_and_ends_well(printed: list[str]) -> None:
    stream = next(text for text in printed if text.startswith("id: 1\n"))
    shown = next(block.code for block in blocks("tutorial.md") if block.language == "text")
    kinds, told = ([line for line in text.splitlines() if line.startswith("event:")] for text in (stream, shown))
    assert kinds[: len(told)] == told
    assert kinds[-1] == "event: final"


def test_the_python_client_prints_the_answer_as_it_comes(printed: list[str]) -> None:
    assert printed[-1] == f"{TEXT}\n"


def test_the_page_installs_what_the_package_offers() -> None:
    installing = "".join(block.code for block in blocks("tutorial.md") if block.installs)
    pyproject = (Path(__file__).resolve().parent.parent / "pyproject.toml").read_text()
    assert "[schema-ui]" in installing
    assert "\nschema-ui = [" in pyproject
