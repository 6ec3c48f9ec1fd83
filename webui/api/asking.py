"""What a chat asks for: the last words of the user in the body that OpenAI's or Ollama's clients send. Pure.

Sessions have no other memory of a chat: they look for themselves.
"""

from typing import TypeVar

import msgspec

from ipc.errors import CallError, Code

T = TypeVar("T")
SHOWN_ONLY = (
    "The tools of a Claude Ops session run inside it and were only shown; there is nothing to hand back. "
    "Nothing was started: ask in words of your own."
)


class Part(msgspec.Struct):
    """A part of a message whose content is an array."""

    type: str = "text"
    text: str | None = None


class Message(msgspec.Struct):
    """One message."""

    role: str
    content: str | list[Part] | None = None


class StreamOptions(msgspec.Struct):
    """What a stream brings beside its words."""

    include_usage: bool | None = False


class Completion(msgspec.Struct):
    """The body of POST /v1/chat/completions, as far as it counts here."""

    messages: list[Message]
    model: str = "claude-ops"
    stream: bool | None = False
    stream_options: StreamOptions | None = None


class OllamaChat(msgspec.Struct):
    """The body of POST /api/chat."""

    messages: list[Message] = []
    model: str = "claude-ops"
    stream: bool | None = True


class OllamaGenerate(msgspec.Struct):
    """The body of POST /api/generate."""

    prompt: str | None = ""
    model: str = "claude-ops"
    stream: bool | None = True


def read(body: bytes, kind: type[T]) -> T:
    """A body. CallError names the field that is wrong."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CallError(Code.INVALID, f"The body can't be read: {error}") from error


def words(messages: list[Message]) -> str:
    """The last message of the user. CallError where there is none, or where it is more than text."""
    number, last = next(
        ((number, message) for number, message in reversed(list(enumerate(messages))) if message.role == "user"),
        (0, Message("user")),
    )
    text = _text(number, last.content)
    if not text.strip():
        raise CallError(Code.INVALID, "There are no words of the user (at `$.messages`); say what to look into.")
    return text


def _text(number: int, content: str | list[Part] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    for index, part in enumerate(content):
        if part.type not in ("text", "input_text"):
            place = f"$.messages[{number}].content[{index}].type"
            raise CallError(Code.INVALID, f"Only text can be read here, not {part.type[:40]!r} (at `{place}`).")
    return "\n".join(part.text or "" for part in content)


def hands_tools_back(messages: list[Message]) -> bool:
    """Whether a client answers tool calls that it was only shown: no words of the user come after them."""
    return bool(messages) and messages[-1].role in ("tool", "function")
