"""What a scripted model says, as values: blocks, turns, scripts, and the conversation that a turn may look at.

Written by `daemon.demo.script` and by tests, played by `daemon.demo.messages_api`. Pure: no clock, no network.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]
REMINDER = "<system-reminder>"


@dataclass(frozen=True)
class Text:
    """Words of the model."""

    text: str


@dataclass(frozen=True)
class Thinking:
    """Reasoning that the model shows before its words."""

    text: str
    signature: str = "c2NyaXB0ZWQ="


@dataclass(frozen=True)
class ToolUse:
    """A call that the model asks for. The id is given by the server when empty."""

    name: str
    input: Json
    id: str = ""


Block = Text | Thinking | ToolUse


@dataclass(frozen=True)
class HttpError:
    """An answer with `status` instead of a message, such as 529 (overloaded) or 500."""

    status: int
    message: str = "Overloaded"
    retry_after_s: float | None = None
    delay_s: float = 0.0


@dataclass(frozen=True)
class Drop:
    """The connection is cut after `after_events` SSE events; 0 cuts it before any answer."""

    after_events: int = 0


@dataclass(frozen=True)
class Hang:
    """No answer for `seconds`, then the connection is cut."""

    seconds: float = 3600.0


Fault = HttpError | Drop | Hang


@dataclass(frozen=True)
class Turn:
    """One message of the model.

    `faults` answer the first attempts at this turn, one each; the blocks answer the next. `before_s` passes before the
    first word, `pace_s` between two deltas. Token counts are what the usage of this message reports.
    """

    blocks: Sequence[Block]
    faults: Sequence[Fault] = ()
    before_s: float = 0.0
    pace_s: float = 0.0
    input_tokens: int = 1200
    output_tokens: int = 90
    cache_read_tokens: int = 0
    cache_creation_tokens: int = 0

    @property
    def stop_reason(self) -> str:
        """`tool_use` when the turn asks for a call, else `end_turn`."""
        return "tool_use" if any(isinstance(block, ToolUse) for block in self.blocks) else "end_turn"


@dataclass(frozen=True)
class ToolResult:
    """The answer to an earlier call, with the call itself."""

    call: ToolUse
    text: str
    is_error: bool


@dataclass(frozen=True)
class Conversation:
    """What the CLI has sent: the prompt, the turns answered so far (`turn`, from 0), and what its tools returned.

    `attempt` counts how often this turn was asked for before. `tools` holds the names that the model may call.
    `asked` has every text of the user with the turns before it: a higher tier goes on in a conversation that has some.
    """

    prompt: str
    turn: int
    results: Sequence[ToolResult] = ()
    tools: frozenset[str] = frozenset()
    model: str = ""
    system: str = ""
    attempt: int = 0
    session: str = ""
    asked: Sequence[tuple[str, int]] = ()

    def result_of(self, call_id: str) -> ToolResult | None:
        """The answer to the call with that id, if it was made."""
        return next((result for result in self.results if result.call.id == call_id), None)


Step = Turn | Callable[[Conversation], Turn]
Script = Sequence[Step]
END: Turn = Turn([Text("The script has no more turns.")])


def play(script: Script, conversation: Conversation) -> Turn:
    """The turn that follows in `script`; past its end a sentence that says so."""
    if conversation.turn >= len(script):
        return END
    step = script[conversation.turn]
    return step if isinstance(step, Turn) else step(conversation)


@dataclass
class Playbook:
    """Which script answers whom: the first whose marker stands in the prompt, else `default`."""

    default: Script
    marked: dict[str, Script] = field(default_factory=dict)

    def choose(self, conversation: Conversation) -> tuple[Script, Conversation]:
        """The script of the newest text with a marker, and the conversation as it went since that text."""
        for text, turns in reversed(conversation.asked or [(conversation.prompt, 0)]):
            for marker, script in self.marked.items():
                if marker in text:
                    return script, replace(conversation, prompt=text, turn=conversation.turn - turns)
        return self.default, conversation


def read(body: Mapping[str, Any], session: str = "") -> Conversation:
    """The conversation in the body of a request to /v1/messages. Texts that the CLI adds itself are left out."""
    messages: list[Json] = list(body.get("messages", []))
    asked: list[tuple[str, int]] = []
    turns = 0
    for message in messages:
        if message["role"] == "assistant":
            turns += 1
        elif message["role"] == "user":
            asked += [(text, turns) for text in _texts(message)]
    calls: dict[str, ToolUse] = {}
    results: list[ToolResult] = []
    for message in messages:
        for block in _blocks(message):
            if block["type"] == "tool_use":
                calls[block["id"]] = ToolUse(block["name"], block["input"], block["id"])
            elif block["type"] == "tool_result":
                call = calls.get(block["tool_use_id"], ToolUse("unknown", {}, block["tool_use_id"]))
                results.append(ToolResult(call, flatten(block.get("content")), bool(block.get("is_error"))))
    return Conversation(
        prompt=asked[0][0] if asked else "",
        turn=turns,
        results=results,
        tools=frozenset(tool["name"] for tool in body.get("tools") or []),
        model=str(body.get("model", "")),
        system=flatten(body.get("system")),
        session=session,
        asked=asked,
    )


def flatten(content: Any) -> str:
    """Text of a content that is a string, a list of blocks or nothing."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "\n".join(block.get("text", "") for block in content if block.get("type") == "text")


def _blocks(message: Json) -> list[Json]:
    content = message["content"]
    return [] if isinstance(content, str) else list(content)


def _texts(message: Json) -> list[str]:
    content = message["content"]
    texts = [content] if isinstance(content, str) else [b["text"] for b in content if b["type"] == "text"]
    return [text for text in texts if not text.lstrip().startswith(REMINDER)]
