"""`words.count`: a capability of this host's own."""

import csv
import io
import re
from collections import Counter
from collections.abc import AsyncGenerator

from automate_api.engine.capability import Capability, RunContext, register
from automate_api.engine.events import EventType, RunEvent

MAX_BYTES = 1_000_000


@register
class CountWords(Capability):
    """Count the words of a text file; the table of them is another file."""

    task_type = "words.count"
    artifact_inputs = ("document",)
    input_schema = {
        "type": "object",
        "properties": {"document": {"type": "string"}},
        "required": ["document"],
        "additionalProperties": False,
    }

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        document = await ctx.read_artifact(ctx.input["document"], max_bytes=MAX_BYTES)
        counts = Counter(re.findall(r"\w+", document.content.decode(errors="replace").lower()))
        saved = await ctx.save_artifact(table_of(counts), name=f"{document.name}.csv", content_type="text/csv")
        yield saved
        output = {"words": counts.total(), "different": len(counts), "table": saved.data["id"]}
        yield RunEvent(EventType.FINAL, {"output": output})


def table_of(counts: Counter[str]) -> bytes:
    """The words with their counts, the most frequent first, as CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerows([("word", "count"), *counts.most_common()])
    return text.getvalue().encode()
