"""A Messages API on loopback whose words are scripted, and which speaks the protocol that the claude CLI uses.

Run by the demo's stage and by tests with the real CLI. It wants the made-up key that it was given and keeps a record
of every request, so that a test can say what went over the wire.
"""

import asyncio
import hmac
import json
import secrets
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from daemon.demo import wire
from daemon.demo.turns import Conversation, Drop, Fault, Hang, HttpError, Json, Playbook, Text, Turn, play, read

MODELS = {
    "claude-haiku-4-5-20251001": "Claude Haiku 4.5",
    "claude-sonnet-4-6": "Claude Sonnet 4.6",
    "claude-opus-4-8": "Claude Opus 4.8",
}
ATTEMPTS_KEPT = 10_000
BODY_MAX = 64 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One request as it came in. `side` marks a call that is not a turn of the session, such as one for a title."""

    method: str
    path: str
    keyed: bool
    headers: dict[str, str]
    body: dict[str, Any]
    side: bool = False


class MessagesApi:
    """The server. `playbook` may be changed while it runs; `requests` holds the last `keep` requests (None: all)."""

    def __init__(self, playbook: Playbook, key: str, keep: int | None = None) -> None:
        self.playbook = playbook
        self.key = key
        self.requests: deque[Request] = deque(maxlen=keep)
        self.url = ""
        self._attempts: Counter[tuple[str, int, int]] = Counter()
        self._messages = 0
        self._prefix = secrets.token_hex(4)  # message ids stay unique when a session is resumed against another server
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> str:
        """Listens on loopback and returns the base URL."""
        app = web.Application(client_max_size=BODY_MAX)
        app.router.add_route("HEAD", "/", self._alive)
        app.router.add_post("/v1/messages", self._message)
        app.router.add_post("/v1/messages/count_tokens", self._count)
        app.router.add_get("/v1/models", self._models)
        app.router.add_route("*", "/{rest:.*}", self._unknown)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        """Cuts every connection and stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def turns(self) -> list[Request]:
        """The requests for turns of a session, repeated attempts included."""
        return [r for r in self.requests if r.path == "/v1/messages" and r.method == "POST" and not r.side]

    def _note(self, request: web.Request, body: dict[str, Any], side: bool = False) -> bool:
        given = request.headers.get("x-api-key", "")
        keyed = hmac.compare_digest(given.encode(), self.key.encode())
        self.requests.append(Request(request.method, request.path, keyed, dict(request.headers), body, side))
        return keyed

    async def _alive(self, request: web.Request) -> web.StreamResponse:
        self._note(request, {})
        return web.Response(status=200)

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        self._note(request, {})
        return web.json_response(wire.error(404, f"{request.method} {request.path}: no such thing"), status=404)

    async def _models(self, request: web.Request) -> web.StreamResponse:
        if not self._note(request, {}):
            return _refused()
        data = [{"type": "model", "id": name, "display_name": title} for name, title in MODELS.items()]
        return web.json_response({"data": data, "has_more": False, "first_id": None, "last_id": None})

    async def _count(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if not self._note(request, body):
            return _refused()
        return web.json_response({"input_tokens": len(str(body.get("messages", ""))) // 4})

    async def _message(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        side = is_side_call(body)
        if not self._note(request, body, side):
            return _refused()
        model = str(body.get("model", ""))
        self._messages += 1
        message_id = f"msg_{self._prefix}{self._messages:06d}"
        if side:
            return await _answer(request, body, _side_answer(body), message_id, model)
        asked = read(body, request.headers.get("x-claude-code-session-id", ""))
        script, conversation = self.playbook.choose(asked)
        conversation = self._counted(conversation)
        turn = play(script, conversation)
        fault = _fault(turn, conversation)
        if fault is not None and not (isinstance(fault, Drop) and fault.after_events):
            return await _fail(request, fault)
        cut = fault.after_events if isinstance(fault, Drop) else None
        return await _answer(request, body, turn, message_id, model, cut)

    def _counted(self, conversation: Conversation) -> Conversation:
        """The conversation with the number of earlier attempts at this turn; a subagent counts for itself."""
        if len(self._attempts) > ATTEMPTS_KEPT:
            self._attempts.clear()  # sessions long over
        key = (conversation.session, hash(conversation.prompt), conversation.turn)
        self._attempts[key] += 1
        return replace(conversation, attempt=self._attempts[key] - 1)


def is_side_call(body: dict[str, Any]) -> bool:
    """Whether the CLI asks for itself: it offers no tools and wants a small JSON value, such as the session's title."""
    return not body.get("tools") and "format" in (body.get("output_config") or {})


def _side_answer(body: dict[str, Any]) -> Turn:
    schema = body["output_config"]["format"].get("schema", {})
    return Turn([Text(json.dumps(dict.fromkeys(schema.get("required", []), "Scripted session")))])


def _fault(turn: Turn, conversation: Conversation) -> Fault | None:
    return turn.faults[conversation.attempt] if conversation.attempt < len(turn.faults) else None


def _refused() -> web.Response:
    return web.json_response(wire.error(401, "invalid x-api-key"), status=401)


async def _fail(request: web.Request, fault: Fault) -> web.StreamResponse:
    if isinstance(fault, HttpError):
        await asyncio.sleep(fault.delay_s)
        headers = {} if fault.retry_after_s is None else {"retry-after": f"{fault.retry_after_s:g}"}
        body = wire.error(fault.status, fault.message)
        return web.json_response(body, status=fault.status, headers=headers)
    if isinstance(fault, Hang):
        await asyncio.sleep(fault.seconds)
    return _cut_off(request, web.Response())


def _cut_off(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return response


async def _answer(
    request: web.Request, body: dict[str, Any], turn: Turn, message_id: str, model: str, cut: int | None = None
) -> web.StreamResponse:
    await asyncio.sleep(turn.before_s)
    headers = {"request-id": message_id.replace("msg_", "req_")}
    if not body.get("stream"):
        return web.json_response(wire.message(turn, message_id, model), headers=headers)
    response = web.StreamResponse(headers={**headers, "content-type": "text/event-stream", "cache-control": "no-cache"})
    try:
        await response.prepare(request)
        for event in _until(wire.events(turn, message_id, model), cut):
            await response.write(wire.sse(event))
            if event["type"] == "content_block_delta":
                await asyncio.sleep(turn.pace_s)
    except ConnectionResetError:
        return response  # the CLI was stopped while it waited or listened: nobody is left to tell
    if cut is not None:
        return _cut_off(request, response)
    await response.write_eof()
    return response


def _until(events: Iterator[Json], cut: int | None) -> Iterator[Json]:
    for number, event in enumerate(events):
        if cut is not None and number >= cut:
            return
        yield event
