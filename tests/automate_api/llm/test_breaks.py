"""However an upstream breaks, the call ends in an error, and what was read until then is the beginning of the truth.

`AUTOMATE_TEST_BREAKS` is how many breaks are tried (50), `AUTOMATE_TEST_SEED` which ones (1).
"""

import asyncio
import os
import random
from collections import Counter
from contextlib import aclosing
from typing import Any

from automate_api.exceptions import UpstreamError
from automate_api.llm import openai
from automate_api.llm.types import Completion, LLMTarget, TextDelta
from tests.upstream import BREAKS, FRAMINGS, TEXT, FakeUpstream

COUNT = int(os.environ.get("AUTOMATE_TEST_BREAKS", "50"))
SEED = int(os.environ.get("AUTOMATE_TEST_SEED", "1"))
AT_ONCE = 20


def models(count: int, seed: int) -> list[str]:
    """`count` ways to break, each way about as often as the others."""
    dice = random.Random(seed)
    ways = (BREAKS * (count // len(BREAKS) + 1))[:count]
    return [f"break:{how}:{dice.random():.6f}:{dice.choice(FRAMINGS)}" for how in ways]


async def outcome(upstream: FakeUpstream, model: str) -> tuple[str, str]:
    """How the call of a breaking model ended, and the text that came before."""
    target = LLMTarget(upstream.url, "", model, "fake", timeout=20, max_retries=0)
    texts = []
    try:
        async with aclosing(openai.chat(target, [], params={}, stream=True)) as items:
            async for item in items:
                if isinstance(item, Completion):
                    return "completed", item.text
                if isinstance(item, TextDelta):
                    texts.append(item.text)
    except UpstreamError as error:
        return type(error).__name__, "".join(texts)
    return "ended without a word", "".join(texts)


async def test_every_break_is_an_error_and_its_text_a_beginning(upstream: FakeUpstream, settings: Any) -> None:
    settings.AUTOMATE_API_IDLE_TIMEOUT = 0.3
    settings.AUTOMATE_API_FIRST_BYTE_TIMEOUT = 1
    left = asyncio.Semaphore(AT_ONCE)

    async def one(model: str) -> tuple[str, str, str]:
        async with left:
            return (model, *await outcome(upstream, model))

    results = await asyncio.gather(*map(one, models(COUNT, SEED)))
    print(len(results), "breaks:", dict(Counter(ending for _model, ending, _text in results)))
    assert len(results) == COUNT
    assert [result for result in results if not result[1].startswith("Upstream")] == []
    assert [result for result in results if not TEXT.startswith(result[2])] == []
    assert await asyncio.to_thread(upstream.until, lambda: not upstream.open_connections)


async def test_the_unbroken_answer_is_complete_in_every_framing(upstream: FakeUpstream) -> None:
    for framing in FRAMINGS:
        assert await outcome(upstream, f"break:none:0:{framing}") == ("completed", TEXT)
