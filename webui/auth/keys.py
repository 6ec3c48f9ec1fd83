"""Programs without a sign-in or an API token: the chat key as a bearer, or a body that is signed.

This process knows neither secret, so the worker is asked. Wrong ones are counted with wrong tokens, by address. Called
by the guard for the addresses whose route says so.
"""

import asyncio
import math

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.keys import CheckKey, CheckSignature, KeyReply
from schema import actors
from schema.access import Scope, digest
from schema.networks import Network
from schema.states import Role
from webui.auth.client import client_address
from webui.auth.rules import Door
from webui.auth.sign_ins import TOKEN_MAX, SignedIn
from webui.auth.tokens import SLOWED, Tokens
from webui.forms import read_body
from webui.worker import Worker

BY_KEY = f"{actors.KEY}chat"
BY_SIGNATURE = f"{actors.KEY}webhook"
SIGNATURES = ("x-hub-signature-256", "x-pagerduty-signature", "x-grafana-alerting-signature", "webhook-signature")
BESIDE = (
    "x-grafana-alerting-timestamp",
    "x-grafana-alerting-signature-timestamp",
    "webhook-id",
    "webhook-timestamp",
)
SIGNED_MAX = 256 * 1024  # bytes of a body that may be signed
HEADER_MAX = 4096
GOOD_MAX = 100
AT_ONCE = 16


class Keys:
    """Judges keys and signatures."""

    def __init__(self, worker: Worker, tokens: Tokens, trusted: list[Network]) -> None:
        self._worker = worker
        self._tokens = tokens
        self._trusted = trusted
        self._good: set[str] = set()  # digests of keys that were right, whose programs are never slowed
        self._room = asyncio.Semaphore(AT_ONCE)

    async def find(self, request: web.Request, door: Door, token: str | None) -> SignedIn:
        """Whom a request comes from. HTTP 401, 429 or 503; CallError if the worker or the database is away."""
        signatures = {name: request.headers[name][:HEADER_MAX] for name in SIGNATURES if name in request.headers}
        if door is Door.SIGNED and token is None and signatures:
            beside = {name: request.headers[name][:HEADER_MAX] for name in BESIDE if name in request.headers}
            body = await read_body(request, SIGNED_MAX)
            # Not counted by address: those of PagerDuty or Grafana Cloud speak for others, too.
            _admit(await self._ask(CheckSignature(headers=signatures | beside, body=body)))
            return _signed_in(BY_SIGNATURE, "")
        shown = (token or "")[: TOKEN_MAX + 1]
        if not shown:
            _admit(await self._ask(CheckKey(key="")), before="show the key as `Authorization: Bearer`: ")
        hash_ = digest(shown)
        await self._judge(shown, hash_, client_address(request, self._trusted))
        return _signed_in(BY_KEY, hash_)

    async def _judge(self, shown: str, hash_: str, address: str) -> None:
        """A key. Wrong ones slow their address down, but not those that have been right."""
        with self._tokens.judging(hash_, address) as others:
            wait = 0.0 if hash_ in self._good else await self._tokens.delay(address, others)
            if wait > 0:
                raise web.HTTPTooManyRequests(text=SLOWED, headers={"Retry-After": str(max(1, math.ceil(wait)))})
            reply = await self._ask(CheckKey(key=shown))
            if reply.ok:
                self._remember(hash_)
                return
            self._good.discard(hash_)
            if reply.configured:
                await self._tokens.note_wrong(address)
            _admit(reply)

    async def _ask(self, asked: CheckKey | CheckSignature) -> KeyReply:
        try:
            # Strangers may ask this, so they may not fill the worker's desk.
            async with self._room:
                return await self._worker.call(asked, KeyReply)
        except CallError as error:
            if error.code is Code.DEADLINE:
                raise CallError(Code.UNAVAILABLE, error.message) from error
            raise

    def _remember(self, hash_: str) -> None:
        if len(self._good) >= GOOD_MAX:
            self._good.clear()
        self._good.add(hash_)


def _admit(reply: KeyReply, *, before: str = "") -> None:
    """HTTP 401 for what is wrong or missing, 503 where nothing could be right. `before` begins the sentence."""
    if reply.ok:
        return
    text = _sentence(before + reply.problem)
    if not reply.configured:
        raise web.HTTPServiceUnavailable(text=text)
    raise web.HTTPUnauthorized(text=text, headers={"WWW-Authenticate": 'Bearer realm="claudeops"'})


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _signed_in(name: str, hash_: str) -> SignedIn:
    return SignedIn(0, name, Role.OPERATOR, "", hash_, "", 0, frozenset({Scope.READ, Scope.ACT}))
