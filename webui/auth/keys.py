"""Programs without a sign-in or an API token: the chat key as a bearer, or a body that is signed.

This process knows neither secret, so the worker is asked. Wrong ones are counted with wrong tokens, by address. Called
by the guard for the addresses whose route says so.
"""

from collections import Counter

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.keys import CheckKey, CheckSignature, KeyReply
from schema.access import Scope, digest
from schema.states import Role
from webui.auth.client import client_address
from webui.auth.rules import Door, Network
from webui.auth.sign_ins import TOKEN_MAX, SignedIn
from webui.auth.tokens import SLOWED, Tokens
from webui.forms import read_body
from webui.worker import Worker

BY_KEY = "key:chat"
BY_SIGNATURE = "key:webhook"
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


class Keys:
    """Judges keys and signatures."""

    def __init__(self, worker: Worker, tokens: Tokens, trusted: list[Network]) -> None:
        self._worker = worker
        self._tokens = tokens
        self._trusted = trusted
        self._good: set[str] = set()  # digests of keys that were right, whose programs are never slowed
        self._judging: Counter[str] = Counter()

    async def find(self, request: web.Request, door: Door, token: str | None) -> SignedIn:
        """Whom a request comes from. HTTP 401, 429 or 503; CallError if the worker or the database is away."""
        signatures = {name: request.headers[name][:HEADER_MAX] for name in SIGNATURES if name in request.headers}
        if door is Door.SIGNED and token is None and signatures:
            headers = signatures | {name: request.headers[name] for name in BESIDE if name in request.headers}
            asked = CheckSignature(headers=headers, body=await read_body(request, SIGNED_MAX))
            await self._judge(request, asked, "")
            return _signed_in(BY_SIGNATURE, "")
        shown = (token or "")[: TOKEN_MAX + 1]
        hash_ = digest(shown)
        await self._judge(request, CheckKey(key=shown), hash_ if shown else None)
        return _signed_in(BY_KEY, hash_)

    async def _judge(self, request: web.Request, asked: CheckKey | CheckSignature, hash_: str | None) -> None:
        """`hash_`: what was shown, so that it is known again; None where nothing was, which counts as no attempt."""
        address = client_address(request, self._trusted)
        known = hash_ in self._good
        self._judging[address] += 1
        try:
            if hash_ is not None and not known:
                wait = await self._tokens.delay(address, self._judging[address] - 1)
                if wait > 0:
                    after = str(max(1, round(wait)))
                    raise web.HTTPTooManyRequests(text=SLOWED, headers={"Retry-After": after})
            reply = await self._ask(asked)
            if reply.ok:
                self._remember(hash_)
                return
            if not reply.configured and (hash_ is None or isinstance(asked, CheckSignature)):
                raise web.HTTPServiceUnavailable(text=_sentence(reply.problem))
            if hash_ is not None:
                self._good.discard(hash_)
                await self._tokens.note_wrong(address)
            text = "Show the key as `Authorization: Bearer`: " if hash_ is None else ""
            challenge = {"WWW-Authenticate": 'Bearer realm="claudeops"'}
            raise web.HTTPUnauthorized(text=_sentence(text + reply.problem), headers=challenge)
        finally:
            self._judging[address] -= 1
            if not self._judging[address]:
                del self._judging[address]

    async def _ask(self, asked: CheckKey | CheckSignature) -> KeyReply:
        try:
            return await self._worker.call(asked, KeyReply)
        except CallError as error:
            if error.code is Code.DEADLINE:
                raise CallError(Code.UNAVAILABLE, error.message) from error
            raise

    def _remember(self, hash_: str | None) -> None:
        if hash_:
            if len(self._good) >= GOOD_MAX:
                self._good.clear()
            self._good.add(hash_)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _signed_in(name: str, hash_: str) -> SignedIn:
    return SignedIn(0, name, Role.OPERATOR, "", hash_, "", 0, frozenset({Scope.READ, Scope.ACT}))
