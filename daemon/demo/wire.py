"""A turn in the words of the Messages API: the SSE events of a streamed answer, or one JSON message.

Called by `daemon.demo.messages_api`. Pure.
"""

import json
from collections.abc import Iterator

from daemon.demo.turns import Block, Json, Text, Thinking, ToolUse, Turn

WORD_CHARS = 24
INPUT_CHARS = 120
"""Characters of one delta, of words and of a call's input: words are read as they come, an input only when whole."""


def sse(event: Json) -> bytes:
    """One event as it goes over the wire."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def message(turn: Turn, message_id: str, model: str) -> Json:
    """The whole answer as one JSON message, for a request without `stream`."""
    return {
        **_empty(turn, message_id, model),
        "content": [_whole(block, f"{message_id}_{n}") for n, block in enumerate(turn.blocks)],
        "stop_reason": turn.stop_reason,
        "usage": _usage(turn, turn.output_tokens),
    }


def events(turn: Turn, message_id: str, model: str) -> Iterator[Json]:
    """The answer as the events of a stream, in order."""
    yield {"type": "message_start", "message": _empty(turn, message_id, model)}
    for index, block in enumerate(turn.blocks):
        start, deltas = _parts(block, f"{message_id}_{index}")
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": turn.stop_reason, "stop_sequence": None},
        "usage": {"output_tokens": turn.output_tokens},
    }
    yield {"type": "message_stop"}


def error(status: int, text: str) -> Json:
    """The body of an answer that is an error."""
    kind = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
    kind[529] = "overloaded_error"
    return {"type": "error", "error": {"type": kind.get(status, "api_error"), "message": text}}


def _empty(turn: Turn, message_id: str, model: str) -> Json:
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(turn, 1),
    }


def _usage(turn: Turn, output: int) -> Json:
    return {
        "input_tokens": turn.input_tokens,
        "cache_creation_input_tokens": turn.cache_creation_tokens,
        "cache_read_input_tokens": turn.cache_read_tokens,
        "output_tokens": output,
    }


def _call_id(block: ToolUse, fallback: str) -> str:
    return block.id or fallback.replace("msg_", "toolu_")


def _whole(block: Block, fallback: str) -> Json:
    if isinstance(block, Text):
        return {"type": "text", "text": block.text}
    if isinstance(block, Thinking):
        return {"type": "thinking", "thinking": block.text, "signature": block.signature}
    return {"type": "tool_use", "id": _call_id(block, fallback), "name": block.name, "input": block.input}


def _parts(block: Block, fallback: str) -> tuple[Json, list[Json]]:
    """The block's start and its deltas."""
    if isinstance(block, Text):
        return {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in _cut(block.text)]
    if isinstance(block, Thinking):
        deltas: list[Json] = [{"type": "thinking_delta", "thinking": piece} for piece in _cut(block.text)]
        deltas.append({"type": "signature_delta", "signature": block.signature})
        return {"type": "thinking", "thinking": "", "signature": ""}, deltas
    start = {"type": "tool_use", "id": _call_id(block, fallback), "name": block.name, "input": {}}
    pieces = _cut(json.dumps(block.input), INPUT_CHARS)
    return start, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def _cut(text: str, size: int = WORD_CHARS) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]
