"""OpenAI's chat completions: POST /v1/chat/completions, GET /v1/models. A chat starts a session and tells what it says.

https://platform.openai.com/docs/api-reference/chat. Errors have OpenAI's shape (`webui.api.shapes`). What goes wrong
once a session was asked for is told in words: clients repeat what fails, and that would start another.
"""

import asyncio
import time
import uuid
from typing import Any

import msgspec
from aiohttp import web

from ipc.errors import CallError, Code
from schema.sessions import Session, Usage
from schema.transcript.events import ToolUse
from webui.api import asking, telling
from webui.api import chat_models as model_names
from webui.api.chats import Chat
from webui.api.following import Beat, Began, Following, Last, Over
from webui.api.lines import Lines
from webui.forms import read_body
from webui.negotiation import json_response
from webui.parts import Parts, parts, signed_in

BODY_MAX = 1024 * 1024
STOP = "stop"


async def models(request: web.Request) -> web.StreamResponse:
    """GET /v1/models."""
    here = parts(request)
    names = model_names.names(here.settings.max_tier)
    return json_response({"object": "list", "data": [_model(name, here) for name in names]})


async def model(request: web.Request) -> web.StreamResponse:
    """GET /v1/models/{model}."""
    here, name = parts(request), request.match_info["model"]
    model_names.tier_of(name, here.settings.max_tier)
    return json_response(_model(name, here))


def _model(name: str, here: Parts) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": int(here.started), "owned_by": model_names.OWNER}


async def complete(request: web.Request) -> web.StreamResponse:
    """POST /v1/chat/completions."""
    here = parts(request)
    asked = asking.read(await read_body(request, BODY_MAX), asking.Completion)
    tier = model_names.tier_of(asked.model, here.settings.max_tier)
    reply = _Reply(here, asked)
    if asking.hands_tools_back(asked.messages):
        return await _words(request, reply, asking.SHOWN_ONLY)
    prompt = asking.words(asked.messages)
    async with here.chats.open(tier, prompt, signed_in(request).name) as chat:
        if asked.stream:
            return await _stream(request, reply, chat)
        return await _whole(request, reply, chat)


class _Reply:
    """The objects of one answer."""

    def __init__(self, here: Parts, asked: asking.Completion) -> None:
        self.here = here
        self.asked = asked
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": asked.model}
        self._begun = False
        self._calls = 0

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with the tokens."""
        options = self.asked.stream_options
        return bool(options and options.include_usage)

    def whole(self, text: str, sessions: list[Session]) -> dict[str, Any]:
        """The answer that is not streamed."""
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": STOP}
        found = {**self._head, "object": "chat.completion", "choices": [choice]}
        tokens = telling.usage(sessions)
        return {**found, "usage": _usage(tokens)} if tokens else found

    def chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        """A piece of a stream."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._sse({"choices": [choice], **({"usage": None} if self.wants_usage else {})})

    def piece(self, found: str | ToolUse) -> bytes:
        """Words, as a paragraph of their own, or a call that the session makes."""
        if isinstance(found, str):
            text = f"\n\n{found}" if self._begun else found
            self._begun = True
            return self.chunk({"content": text})
        arguments = msgspec.json.encode(found.input).decode()
        function = {"name": found.name, "arguments": arguments}
        call = {"index": self._calls, "id": found.id, "type": "function", "function": function}
        self._calls += 1
        return self.chunk({"tool_calls": [call]})

    def end(self, sessions: list[Session]) -> bytes:
        """The end of a stream."""
        parts = [self.chunk({}, STOP)]
        tokens = telling.usage(sessions)
        if self.wants_usage and tokens is not None:
            parts.append(self._sse({"choices": [], "usage": _usage(tokens)}))
        return b"".join([*parts, b"data: [DONE]\n\n"])

    def _sse(self, more: dict[str, Any]) -> bytes:
        found = {**self._head, "object": "chat.completion.chunk", **more}
        return b"data: " + msgspec.json.encode(found) + b"\n\n"


def _usage(tokens: Usage) -> dict[str, Any]:
    asked = tokens.input + tokens.cache_read + tokens.cache_creation
    return {
        "prompt_tokens": asked,
        "completion_tokens": tokens.output,
        "total_tokens": asked + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cache_read},
    }


async def _words(request: web.Request, reply: _Reply, text: str) -> web.StreamResponse:
    """An answer for which nothing is started."""
    if not reply.asked.stream:
        return json_response(reply.whole(text, []))
    async with Lines(request, "text/event-stream") as lines:
        await lines.write(reply.chunk({"role": "assistant", "content": ""}) + reply.piece(text) + reply.end([]))
    return lines.response


async def _stream(request: web.Request, reply: _Reply, chat: Chat) -> web.StreamResponse:
    here = reply.here
    told = telling.Telling(here.settings.public_url)
    async with Lines(request, "text/event-stream", **_names(chat)) as lines:
        await lines.write(reply.chunk({"role": "assistant", "content": ""}))
        sessions: list[Session] = []
        try:
            async for step in Following(here, chat, signed_in(request)).steps(here.settings.chat_wait):
                if isinstance(step, Over):
                    sessions = step.sessions
                if isinstance(step, Beat):
                    await lines.write(b": still at it\n\n")
                for found in told.of(step):
                    if isinstance(found, str) or here.settings.chat_tool_calls:
                        await lines.write(reply.piece(found))
        except CallError as error:
            await lines.write(reply.piece(f"What becomes of it can't be told now: {error.message}"))
        await lines.write(reply.end(sessions))
    return lines.response


async def _whole(request: web.Request, reply: _Reply, chat: Chat) -> web.StreamResponse:
    text, sessions = await whole(request, chat)
    response = json_response(reply.whole(text, sessions))
    response.headers.update(_names(chat))
    return response


async def whole(request: web.Request, chat: Chat) -> tuple[str, list[Session]]:
    """The answer of a chat that is not streamed, and its sessions; a sentence where it takes too long."""
    here, person = parts(request), signed_in(request)
    limit, link = here.settings.chat_timeout, here.settings.public_url
    running: Session | None = None
    last: Last | None = None
    try:
        async with asyncio.timeout(limit):
            async for step in Following(here, chat, person).steps(min(here.settings.chat_wait, limit / 2)):
                if isinstance(step, Began):
                    running = step.session
                elif isinstance(step, Last):
                    last = step
    except TimeoutError:
        return telling.still_runs(running, limit, link), []
    except CallError as error:
        if error.code is Code.OVERLOADED:
            raise
        return f"What becomes of it can't be told now: {error.message}", []
    assert last is not None  # noqa: S101 - there is always a last step
    return telling.answer(last, link), last.sessions if isinstance(last, Over) else []


def _names(chat: Chat) -> dict[str, str]:
    """By which an operator finds it on the dashboard."""
    return {"X-ClaudeOps-Trigger": str(chat.trigger.id)}
