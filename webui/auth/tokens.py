"""API tokens: from `Authorization: Bearer` to whom it stands for. Called by the guard for every request that shows one.

Each request looks its token up, by its SHA-256, so a revoked one is over at once. Wrong ones are counted by address in
the worker, as wrong passwords are; an address that has shown too many gets no more looked up, but for those known good.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError
from ipc.messages.access import TokenUsed
from ipc.messages.envelope import Done
from ipc.messages.users import SignInFailed
from schema import actors, timestamps
from schema.access import BEARER, PREFIX, ApiToken, Scope, digest, token_from_row
from schema.database import Database
from webui.auth import rules
from webui.auth.rules import Failures
from webui.auth.sign_ins import TOKEN_MAX, SignedIn
from webui.state import State
from webui.worker import Worker

USED_SECONDS = 60.0
KNOWN_MAX = 1000
SLOWED = "Too many wrong tokens from this address."


class Refused(NamedTuple):
    """Why a token is not taken; `wait`: seconds until another may be tried, 0 for one that is simply wrong."""

    text: str
    wait: float = 0.0


def bearer(request: web.Request) -> str | None:
    """The token that a request shows; None where it shows none. Other schemes are a proxy's business."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class Tokens:
    """Looks tokens up."""

    def __init__(self, state: State, worker: Worker) -> None:
        self._state = state
        self._worker = worker
        self._told: dict[str, float] = {}  # tokens known good, with when the worker was told of their use
        self._judging: dict[str, set[str]] = {}  # by address, the others that are being looked up
        self._telling: set[asyncio.Task[None]] = set()

    async def find(self, token: str, address: str) -> SignedIn | Refused:
        """Whom a token stands for. CallError if the database can't be read."""
        hash_ = digest(token[: TOKEN_MAX + 1])
        if hash_ in self._told:
            return await self._judge(token, hash_, address)
        with self.judging(hash_, address) as others:
            if (wait := await self.delay(address, others)) > 0:
                return Refused(SLOWED, wait)
            return await self._judge(token, hash_, address)

    @contextmanager
    def judging(self, hash_: str, address: str) -> Iterator[int]:
        """While a token or a key is looked up; gives how many others of its address are.

        Many at a time are as many as one after the other; one that comes many times is one.
        """
        judging = self._judging.setdefault(address, set())
        others = len(judging - {hash_})
        judging.add(hash_)
        try:
            yield others
        finally:
            judging.discard(hash_)
            if not judging:
                self._judging.pop(address, None)

    async def _judge(self, token: str, hash_: str, address: str) -> SignedIn | Refused:
        found = await self._look(hash_) if token.startswith(PREFIX) and len(token) <= TOKEN_MAX else None
        if found is None:
            await self.note_wrong(address)
            return Refused("There is no such token.")
        if why := _over(found):
            self._told.pop(hash_, None)
            return Refused(why)
        self._note(found, hash_, address)
        return _signed_in(found, hash_)

    async def check(self, hash_: str) -> SignedIn | None:
        """The same for a live stream that goes on: None once the token is over."""
        found = await self._look(hash_)
        return None if found is None or _over(found) else _signed_in(found, hash_)

    async def _look(self, hash_: str) -> ApiToken | None:
        row = await self._state.read(lambda database: database.one("tokens.by_hash", token_hash=hash_))
        return None if row is None else token_from_row(row)

    async def note_wrong(self, address: str) -> None:
        """Counts a token, or a key, that is wrong."""
        await self._worker.call(SignInFailed(name="", address=BEARER + address), Done)

    async def delay(self, address: str, judging: int) -> float:
        """Seconds until an address may show another; `judging`: how many of it are being looked up."""
        now = time.time()
        since = timestamps.at(now - rules.WINDOW_SECONDS)

        def look(database: Database) -> Failures:
            row = database.one("users.failures_of_address", address=BEARER + address, since=since) or {}
            count, last = tuple(row.values())
            ago = now - timestamps.parse(last).timestamp() if last else rules.WINDOW_SECONDS
            return Failures(count + judging, 0.0 if judging else ago)

        return rules.token_delay(await self._state.read(look))

    def _note(self, token: ApiToken, hash_: str, address: str) -> None:
        """Remembers a use, without keeping the request waiting; at most once a minute."""
        now = time.monotonic()
        if now - self._told.get(hash_, now - USED_SECONDS) < USED_SECONDS:
            return
        if len(self._told) >= KNOWN_MAX:
            self._told.clear()
        self._told[hash_] = now
        task = asyncio.create_task(self._used(TokenUsed(id=token.id, address=address)))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _used(self, message: TokenUsed) -> None:
        try:
            await self._worker.call(message, Done, timeout=2.0)
        except CallError:
            return  # only when it was used last is not known to the minute


def _over(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return "This token was revoked."
    if token.expires_at is not None and token.expires_at <= timestamps.now():
        return "This token has expired."
    return ""


def _signed_in(token: ApiToken, hash_: str) -> SignedIn:
    name, scopes = actors.TOKEN + token.name, frozenset(token.scopes)
    return SignedIn(0, name, token.role, "", hash_, token.created_at, token.id, scopes, token.expires_at)


def missing_scope(person: SignedIn, *, unsafe: bool, scrape: bool) -> Scope | None:
    """The scope that a request needs and its token does not have; None for people, who have all."""
    if person.scopes is None:
        return None
    needed = Scope.METRICS if scrape else Scope.ACT if unsafe else Scope.READ
    return None if needed in person.scopes else needed
