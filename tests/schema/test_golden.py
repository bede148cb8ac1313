"""`schema.yml` is the package's OpenAPI description as it was read and approved: a change to it is seen in review."""

import difflib
import os
from pathlib import Path

import django
import pytest
from drf_spectacular.renderers import OpenApiYamlRenderer

from tests.schema.description import described

GOLDEN = Path(__file__).parent / "schema.yml"
#: Other versions of Django say the same in other words here and there.
TAKEN_ON = (5, 2)
ADVICE = "The description has changed. If that is meant: make schema-golden, and read the difference."


def rendered() -> str:
    """The description of the package's routes as YAML."""
    text: bytes = OpenApiYamlRenderer().render(described("tests.urls", "3.0.3"), renderer_context={})
    return text.decode()


@pytest.mark.skipif(django.VERSION[:2] != TAKEN_ON, reason=f"the golden file was taken on Django {TAKEN_ON}")
def test_the_description_is_the_golden_one() -> None:
    text = rendered()
    if os.environ.get("AUTOMATE_TEST_UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(text)
    golden = GOLDEN.read_text()
    difference = difflib.unified_diff(golden.splitlines(), text.splitlines(), "golden", "now", lineterm="", n=2)
    assert text == golden, "\n".join([ADVICE, *difference][:200])
