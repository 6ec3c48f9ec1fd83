"""Ollama's API, as far as chats need it: GET /api/version, GET /api/tags, POST /api/chat, POST /api/generate.

https://github.com/ollama/ollama/blob/main/docs/api.md. A stream (the default) is a JSON object a line. Always with the
key, which Ollama's own clients send as a header when they are told to.
"""

import hashlib
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from ipc.errors import CallError
from schema.sessions import Session
from webui.api import asking, chat_models, telling
from webui.api.chats import Chat
from webui.api.following import Beat, Following, Over
from webui.api.lines import Lines
from webui.api.openai import BODY_MAX, whole
from webui.forms import read_body
from webui.negotiation import json_response
from webui.parts import parts, signed_in

VERSION = "0.6.4"  # of Ollama's API that is spoken here; clients look whether it is new enough
NDJSON = "application/x-ndjson"


async def version(request: web.Request) -> web.StreamResponse:
    """GET /api/version."""
    return json_response({"version": VERSION})


async def tags(request: web.Request) -> web.StreamResponse:
    """GET /api/tags."""
    here = parts(request)
    at = datetime.fromtimestamp(here.started, UTC).isoformat()
    return json_response({"models": [_tag(name, at) for name in chat_models.names(here.settings.max_tier)]})


def _tag(name: str, at: str) -> dict[str, Any]:
    full = name + chat_models.LATEST
    details = {
        "parent_model": "", "format": "", "family": chat_models.OWNER, "families": [chat_models.OWNER],
        "parameter_size": "", "quantization_level": "",
    }  # fmt: skip
    digest = hashlib.sha256(full.encode()).hexdigest()
    return {"name": full, "model": full, "modified_at": at, "size": 0, "digest": digest, "details": details}


class _Reply:
    """The objects of one answer. `generate` names the words differently than a chat does."""

    def __init__(self, model: str, *, generate: bool) -> None:
        self._model = model
        self._generate = generate
        self._begun_at = time.monotonic_ns()
        self._begun = False

    def of(self, text: str, **more: Any) -> dict[str, Any]:
        """A piece, or all of it."""
        said = {"response": text} if self._generate else {"message": {"role": "assistant", "content": text}}
        return {"model": self._model, "created_at": datetime.now(UTC).isoformat(), **said, "done": False, **more}

    def line(self, text: str, **more: Any) -> bytes:
        """A line of a stream."""
        return msgspec.json.encode(self.of(text, **more)) + b"\n"

    def paragraph(self, text: str) -> bytes:
        """Words as a paragraph of their own."""
        before, self._begun = "\n\n" if self._begun else "", True
        return self.line(before + text)

    def end(self, sessions: list[Session], reason: str = "stop") -> dict[str, Any]:
        """What the last object says beside."""
        tokens = telling.usage(sessions)
        counts = {}
        if tokens is not None:
            asked = tokens.input + tokens.cache_read + tokens.cache_creation
            counts = {"prompt_eval_count": asked, "eval_count": tokens.output}
        took = time.monotonic_ns() - self._begun_at
        return {"done": True, "done_reason": reason, "total_duration": took, **counts}


async def chat(request: web.Request) -> web.StreamResponse:
    """POST /api/chat."""
    asked = asking.read(await read_body(request, BODY_MAX), asking.OllamaChat)
    if asking.hands_tools_back(asked.messages):
        chat_models.tier_of(asked.model, parts(request).settings.max_tier)  # a model that is none is told first
        reply = _Reply(asked.model, generate=False)
        return await _answer(request, reply, asking.SHOWN_ONLY, "stop", stream=asked.stream is not False)
    prompt = asking.words(asked.messages) if asked.messages else ""
    return await _ask(request, asked.model, prompt, stream=asked.stream is not False, generate=False)


async def generate(request: web.Request) -> web.StreamResponse:
    """POST /api/generate."""
    asked = asking.read(await read_body(request, BODY_MAX), asking.OllamaGenerate)
    prompt = asked.prompt or ""
    return await _ask(request, asked.model, prompt, stream=asked.stream is not False, generate=True)


async def _ask(request: web.Request, model: str, prompt: str, *, stream: bool, generate: bool) -> web.StreamResponse:
    here = parts(request)
    tier = chat_models.tier_of(model, here.settings.max_tier)
    reply = _Reply(model, generate=generate)
    if not prompt.strip():
        # How clients have a model loaded; there is nothing to load, and nothing is started.
        return await _answer(request, reply, "", "load", stream=False)
    async with here.chats.open(tier, prompt, signed_in(request).name) as opened:
        if stream:
            return await _stream(request, reply, opened)
        text, sessions = await whole(request, opened)
        return json_response(reply.of(text, **reply.end(sessions)))


async def _answer(request: web.Request, reply: _Reply, text: str, reason: str, *, stream: bool) -> web.StreamResponse:
    """An answer for which nothing is started."""
    if not stream:
        return json_response(reply.of(text, **reply.end([], reason)))
    async with Lines(request, NDJSON) as lines:
        await lines.write(reply.paragraph(text) + reply.line("", **reply.end([], reason)))
    return lines.response


async def _stream(request: web.Request, reply: _Reply, opened: Chat) -> web.StreamResponse:
    here = parts(request)
    told = telling.Telling(here.settings.public_url)
    async with Lines(request, NDJSON) as lines:
        sessions: list[Session] = []
        try:
            async for step in Following(here, opened, signed_in(request)).steps(here.settings.chat_wait):
                if isinstance(step, Over):
                    sessions = step.sessions
                if isinstance(step, Beat):
                    await lines.write(reply.line(""))
                for found in told.of(step):
                    if isinstance(found, str):
                        await lines.write(reply.paragraph(found))
        except CallError as error:
            await lines.write(reply.paragraph(f"What becomes of it can't be told now: {error.message}"))
        await lines.write(reply.line("", **reply.end(sessions)))
    return lines.response
