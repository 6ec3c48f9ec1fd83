"""How the demo's scripted model speaks: words at a readable pace, calls, and the report at the end. Pure.

Called by `daemon.demo.observe`, `.repair` and `.answer`. `tempo` 1 is the pace of a model, 0 none at all.
"""

from collections.abc import Sequence

from daemon.demo.findings import Finding, Memory, Note, overall, report, table
from daemon.demo.turns import Block, Conversation, Json, Text, Thinking, ToolUse, Turn

REPORT_TOOL = "StructuredOutput"


def call(command: str, why: str, call_id: str) -> ToolUse:
    """A call of the shell. `why` is what a person reads who has to decide about it."""
    return ToolUse("Bash", {"command": command, "description": why}, call_id)


def say(tempo: float, words: str, *calls: ToolUse, thinking: str = "") -> Turn:
    """Words, and calls after them."""
    blocks: list[Block] = [Thinking(thinking)] if thinking else []
    blocks += [Text(words), *calls]
    return _paced(tempo, blocks)


def conclude(
    conversation: Conversation,
    tempo: float,
    found: Sequence[Finding],
    *,
    notes: Sequence[Note] = (),
    memories: Sequence[Memory] = (),
    marks: Sequence[str] = (),
    escalation: Json | None = None,
) -> Turn:
    """The last turn: what was found and done, with markers and as structured output.

    `marks` are further lines, such as how a restart went. Without a schema the CLI offers no tool to report by, and
    the words are the end.
    """
    said = [note.message for note in notes]
    lines = [note.marker for note in (*(finding.note for finding in found), *notes)]
    lines += [*marks, *(memory.marker for memory in memories)]
    text = "\n\n".join(["## What I found", table(found), *said, "\n".join(lines)])
    output = report(found, " ".join([*said, overall(found)]), notes, memories, escalation)
    calls = [ToolUse(REPORT_TOOL, output)] if REPORT_TOOL in conversation.tools else []
    return _paced(tempo, [Text(text), *calls])


def _paced(tempo: float, blocks: Sequence[Block]) -> Turn:
    words = sum(len(str(block.input if isinstance(block, ToolUse) else block.text)) for block in blocks) // 4
    return Turn(
        blocks, before_s=2.8 * tempo, pace_s=0.11 * tempo, input_tokens=420, output_tokens=words, cache_read_tokens=9800
    )
